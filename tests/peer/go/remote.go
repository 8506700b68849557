package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const answerMax = 64 << 20

// remote is a ledger that a server publishes: https://…/ledger/public and the like.
type remote struct {
	base, token string
	client      http.Client
}

func (r *remote) get(name string) ([]byte, error) {
	request, err := http.NewRequest("GET", r.base+"/"+name, nil)
	if err != nil {
		return nil, err
	}
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", name, answer.Status)
	}
	if answer.Header.Get("Cache-Control") == "" {
		return nil, fmt.Errorf("%s: nothing is said about caching", name)
	}
	return io.ReadAll(io.LimitReader(answer.Body, answerMax))
}

// namesOf lists the tiles and bundles of a ledger of that size.
func namesOf(size int64) []string {
	var names []string
	add := func(level string, count int64) {
		for n := int64(0); n*tileWidth < count; n++ {
			names = append(names, tileName(level, n, int(min(tileWidth, count-n*tileWidth))))
		}
	}
	add(entriesName, size)
	for level, count := 0, size; count > 0; level, count = level+1, count/tileWidth {
		add(strconv.Itoa(level), count)
	}
	return names
}

// loadRemote fetches all that the newest checkpoint says is there, and what an older one said.
func loadRemote(r *remote, vkey, old string) (*ledger, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, fmt.Errorf("verifier key: %w", err)
	}
	l := &ledger{files: map[string][]byte{}, verifier: verifier}
	if l.files["checkpoint"], err = r.get("checkpoint"); err != nil {
		return nil, err
	}
	tree, err := l.openCheckpoint(l.files["checkpoint"])
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	names := namesOf(tree.N)
	if old != "" {
		before, err := l.readOld(old)
		if err != nil {
			return nil, err
		}
		names = append(names, namesOf(before.N)...)
	}
	for _, name := range names {
		if l.files[name], err = r.get(name); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *ledger) readOld(path string) (tlog.Tree, error) {
	msg, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	return l.openCheckpoint(msg)
}

// consistent has the library prove that the older ledger is the beginning of this one.
func (l *ledger) consistent(path string, tree tlog.Tree) error {
	old, err := l.readOld(path)
	if err != nil {
		return err
	}
	if old.N > tree.N {
		return errors.New("the older checkpoint is the larger one")
	}
	grown, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, tiles{l}))
	if err != nil {
		return err
	}
	return tlog.CheckTree(grown, tree.N, tree.Hash, old.N, old.Hash)
}

// checkProofs asks for the receipts of entries all over the ledger.
func (l *ledger) checkProofs(r *remote, tree tlog.Tree, count int64) error {
	for i := int64(0); i < tree.N; i += max(1, tree.N/count) {
		n := i / tileWidth
		name := tileName(entriesName, n, int(min(tileWidth, tree.N-n*tileWidth)))
		parts, err := cutBundle(name, l.files[name], int(min(tileWidth, tree.N-n*tileWidth)))
		if err != nil {
			return err
		}
		receipt, err := r.get("proof/" + strconv.FormatInt(i, 10))
		if err != nil {
			return err
		}
		if err := l.verifyReceipt(receipt, parts[i%tileWidth][2:]); err != nil {
			return fmt.Errorf("proof/%d: %w", i, err)
		}
	}
	return nil
}

// runRemote is the whole of what a tile client can ask of a server.
func runRemote(url, token, vkey, old, save string) error {
	r := &remote{base: strings.TrimSuffix(url, "/"), token: token, client: http.Client{Timeout: time.Minute}}
	l, err := loadRemote(r, vkey, old)
	if err != nil {
		return err
	}
	tree, err := l.verify()
	if err != nil {
		return err
	}
	if err := l.proveByLibrary(tree, 50); err != nil {
		return fmt.Errorf("proofs by the library: %w", err)
	}
	if err := l.checkProofs(r, tree, 50); err != nil {
		return err
	}
	if old != "" {
		if err := l.consistent(old, tree); err != nil {
			return fmt.Errorf("consistency: %w", err)
		}
	}
	if save != "" {
		if err := os.WriteFile(save, l.files["checkpoint"], 0o600); err != nil {
			return err
		}
	}
	fmt.Printf("%d entries, %d files, root %s\n", tree.N, len(l.files), tree.Hash)
	return nil
}
