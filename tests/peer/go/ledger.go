package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileWidth   = 256
	entriesName = "entries"
)

// ledger is a published ledger as it lies in a folder: every file by its name.
type ledger struct {
	files    map[string][]byte
	verifier note.Verifier
}

func loadLedger(dir, vkey string) (*ledger, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	l := &ledger{files: map[string][]byte{}, verifier: verifier}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		l.files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	return l, err
}

// openCheckpoint verifies the note and takes its text apart. The library forgives spare bits in base64; we don't.
func (l *ledger) openCheckpoint(msg []byte) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open(msg, note.VerifierList(l.verifier))
	if err != nil {
		return tree, err
	}
	if len(opened.Sigs) != 1 || len(opened.UnverifiedSigs) != 0 {
		return tree, errors.New("not signed by the ledger alone")
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(opened.Sigs[0].Base64); err != nil {
		return tree, fmt.Errorf("signature: %w", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" || lines[0] != l.verifier.Name() {
		return tree, errors.New("not a checkpoint of this ledger")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, errors.New("size is no number")
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// tileName is "tile/0/x001/234.p/5"; width 256 is a full tile.
func tileName(level string, n int64, width int) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if width < tileWidth {
		name = fmt.Sprintf("%s.p/%d", name, width)
	}
	return "tile/" + level + "/" + name
}

// tile is what one must hold: its parts, of which a partial tile has the first ones.
type tile struct {
	level string
	n     int64
	parts [][]byte
}

func (t tile) content(width int) []byte {
	return bytes.Join(t.parts[:width], nil)
}

// check compares the files of one tile: the one that is needed, and partial ones of earlier checkpoints.
func (l *ledger) check(t tile, unseen map[string]bool) error {
	name := tileName(t.level, t.n, len(t.parts))
	content, ok := l.files[name]
	if !ok {
		return fmt.Errorf("%s: missing", name)
	}
	if !bytes.Equal(content, t.content(len(t.parts))) {
		return fmt.Errorf("%s: other bytes than the entries give", name)
	}
	delete(unseen, name)
	for width := 1; width < len(t.parts); width++ {
		name := tileName(t.level, t.n, width)
		if !unseen[name] {
			continue
		}
		if !bytes.Equal(l.files[name], t.content(width)) {
			return fmt.Errorf("%s: other bytes than the entries give", name)
		}
		delete(unseen, name)
	}
	return nil
}

// cutBundle cuts a bundle. Each part is an entry with its length before it.
func cutBundle(name string, bundle []byte, width int) ([][]byte, error) {
	var parts [][]byte
	for len(bundle) > 0 {
		if len(bundle) < 2 || len(bundle)-2 < int(binary.BigEndian.Uint16(bundle)) {
			return nil, fmt.Errorf("%s: ends too early", name)
		}
		n := 2 + int(binary.BigEndian.Uint16(bundle))
		parts = append(parts, bundle[:n:n])
		bundle = bundle[n:]
	}
	if len(parts) != width {
		return nil, fmt.Errorf("%s: %d entries, not %d", name, len(parts), width)
	}
	return parts, nil
}

// checkBundles recomputes the leaves and compares bundles.
func (l *ledger) checkBundles(size int64, unseen map[string]bool) ([]tlog.Hash, error) {
	leaves := make([]tlog.Hash, 0, size)
	for n := int64(0); n*tileWidth < size; n++ {
		width := int(min(tileWidth, size-n*tileWidth))
		name := tileName(entriesName, n, width)
		parts, err := cutBundle(name, l.files[name], width)
		if err != nil {
			return nil, err
		}
		if err := l.check(tile{entriesName, n, parts}, unseen); err != nil {
			return nil, err
		}
		for _, p := range parts {
			leaves = append(leaves, tlog.RecordHash(p[2:]))
		}
	}
	return leaves, nil
}

// subtree is the root of a perfect subtree.
func subtree(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(subtree(hashes[:half]), subtree(hashes[half:]))
}

// root is that of any tree.
func root(hashes []tlog.Hash) tlog.Hash {
	k := 1
	for 2*k < len(hashes) {
		k *= 2
	}
	if len(hashes) == k {
		return subtree(hashes)
	}
	return tlog.NodeHash(subtree(hashes[:k]), root(hashes[k:]))
}

// checkTiles compares the tiles of one level and gives the hashes of the next.
func (l *ledger) checkTiles(level int, hashes []tlog.Hash, unseen map[string]bool) ([]tlog.Hash, error) {
	var above []tlog.Hash
	for n := 0; n*tileWidth < len(hashes); n++ {
		in := hashes[n*tileWidth : min((n+1)*tileWidth, len(hashes))]
		parts := make([][]byte, len(in))
		for i := range in {
			parts[i] = in[i][:]
		}
		if err := l.check(tile{strconv.Itoa(level), int64(n), parts}, unseen); err != nil {
			return nil, err
		}
		if len(in) == tileWidth {
			above = append(above, subtree(in))
		}
	}
	return above, nil
}

// verify recomputes everything: no file may be missing, differ, or be there without need.
func (l *ledger) verify() (tlog.Tree, error) {
	tree, err := l.openCheckpoint(l.files["checkpoint"])
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	unseen := map[string]bool{}
	for name := range l.files {
		unseen[name] = name != "checkpoint"
	}
	delete(unseen, "checkpoint")
	leaves, err := l.checkBundles(tree.N, unseen)
	if err != nil {
		return tree, err
	}
	hashes := leaves
	for level := 0; len(hashes) > 0; level++ {
		if hashes, err = l.checkTiles(level, hashes, unseen); err != nil {
			return tree, err
		}
	}
	if len(unseen) > 0 {
		names := make([]string, 0, len(unseen))
		for name := range unseen {
			names = append(names, name)
		}
		sort.Strings(names)
		return tree, fmt.Errorf("%s: not a file of this ledger", names[0])
	}
	if tree.N > 0 && root(leaves) != tree.Hash {
		return tree, errors.New("checkpoint: another root than the entries give")
	}
	return tree, nil
}

// tiles lets the library read our tiles by itself.
type tiles struct{ l *ledger }

func (tiles) Height() int { return 8 }

func (r tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, t := range wanted {
		name := tileName(strconv.Itoa(t.L), t.N, t.W)
		content, ok := r.l.files[name]
		if !ok {
			return nil, fmt.Errorf("%s: missing", name)
		}
		data[i] = content
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// proveByLibrary has the library make and check proofs from our tiles, spread over the ledger.
func (l *ledger) proveByLibrary(tree tlog.Tree, count int64) error {
	reader := tlog.TileHashReader(tree, tiles{l})
	step := max(1, tree.N/count)
	for i := int64(0); i < tree.N; i += step {
		leaf, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, i)})
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		p, err := tlog.ProveRecord(tree.N, i, reader)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if err := tlog.CheckRecord(p, tree.N, tree.Hash, i, leaf[0]); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		old, err := tlog.TreeHash(i+1, reader)
		if err != nil {
			return fmt.Errorf("size %d: %w", i+1, err)
		}
		grown, err := tlog.ProveTree(tree.N, i+1, reader)
		if err != nil {
			return fmt.Errorf("size %d: %w", i+1, err)
		}
		if err := tlog.CheckTree(grown, tree.N, tree.Hash, i+1, old); err != nil {
			return fmt.Errorf("size %d: %w", i+1, err)
		}
	}
	return nil
}

// verifyReceipt checks one entry offline: by receipt and verifier key alone.
func (l *ledger) verifyReceipt(receipt, entry []byte) error {
	var p proof.TLogProof
	if err := p.Unmarshal(receipt); err != nil {
		return err
	}
	if !bytes.Equal(p.Marshal(), receipt) {
		return errors.New("not written as the format asks")
	}
	tree, err := l.openCheckpoint(p.Checkpoint)
	if err != nil {
		return err
	}
	if p.Index >= uint64(tree.N) {
		return errors.New("index beyond the ledger")
	}
	hashes := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		hashes[i] = h
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, int64(p.Index), tlog.RecordHash(entry))
}
