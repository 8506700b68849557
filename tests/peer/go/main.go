// Verifies a published ledger with the Go libraries that others use: the checkpoint's signature, every entry against its
// tile, every tile against the root, and that nothing else lies in the folder; a receipt with its entry, if given.
//
//	go run . -dir DIR -vkey VKEY [-receipt FILE -entry FILE] [-flips K -seed S -seconds N]
//	go run . -url URL -vkey VKEY [-token TOKEN] [-old CHECKPOINT] [-save CHECKPOINT]
//
// The exit code is 1 if anything differs, and what differs is named. With -flips single bits are flipped in memory, spread
// over all kinds of files, and each must be refused by the same full verification. With -url the ledger is a server's: all its
// tiles, bundles and some receipts are fetched; -old is an earlier checkpoint that must be its beginning.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"time"
)

type subject struct {
	ledger         *ledger
	receipt, entry []byte
}

func (s *subject) verify() error {
	if _, err := s.ledger.verify(); err != nil {
		return err
	}
	if s.receipt == nil {
		return nil
	}
	if err := s.ledger.verifyReceipt(s.receipt, s.entry); err != nil {
		return fmt.Errorf("receipt: %w", err)
	}
	return nil
}

// kindOf sorts files into kinds, so that each kind gets its share of flips.
func kindOf(name string) string {
	parts := strings.Split(name, "/")
	if parts[0] != "tile" {
		return name
	}
	kind := "tile/" + parts[1]
	if strings.Contains(name, ".p/") {
		return kind + " partial"
	}
	return kind + " full"
}

// byKind gives every byte slice that a bit may be flipped in.
func (s *subject) byKind() (map[string][]string, map[string][]byte) {
	kinds, contents := map[string][]string{}, map[string][]byte{}
	add := func(name string, content []byte) {
		if len(content) > 0 {
			kinds[kindOf(name)] = append(kinds[kindOf(name)], name)
			contents[name] = content
		}
	}
	for name, content := range s.ledger.files {
		add(name, content)
	}
	add("receipt", s.receipt)
	add("entry", s.entry)
	for _, names := range kinds {
		sort.Strings(names)
	}
	return kinds, contents
}

func flipBits(s *subject, count int, seed int64, seconds float64) error {
	kinds, contents := s.byKind()
	random := rand.New(rand.NewSource(seed))
	order := make([]string, 0, len(kinds))
	for kind := range kinds {
		order = append(order, kind)
	}
	sort.Strings(order)
	start := time.Now()
	done := map[string]int{}
	for i := 0; i < count && (i < len(order) || time.Since(start).Seconds() < seconds); i++ {
		names := kinds[order[i%len(order)]]
		name := names[random.Intn(len(names))]
		at, bit := random.Intn(len(contents[name])), byte(1)<<random.Intn(8)
		contents[name][at] ^= bit
		err := s.verify()
		contents[name][at] ^= bit
		if err == nil {
			return fmt.Errorf("%s: byte %d with %#02x flipped is accepted", name, at, bit)
		}
		done[order[i%len(order)]]++
	}
	for _, kind := range order {
		fmt.Printf("# %s: %d of %d flipped bits refused\n", kind, done[kind], done[kind])
	}
	if err := s.verify(); err != nil {
		return fmt.Errorf("after all bits were put back: %w", err)
	}
	return nil
}

func run() error {
	url := flag.String("url", "", "address of the ledger on a server, instead of -dir")
	token := flag.String("token", "", "bearer token for -url")
	old := flag.String("old", "", "an earlier checkpoint (with -url)")
	save := flag.String("save", "", "where to keep the checkpoint (with -url)")
	dir := flag.String("dir", "", "folder of the ledger: checkpoint and tile/")
	vkey := flag.String("vkey", "", "verifier key of the ledger")
	receipt := flag.String("receipt", "", "a receipt (with -entry)")
	entry := flag.String("entry", "", "the entry that the receipt is for")
	flips := flag.Int("flips", 0, "how many bits to flip, one at a time")
	seed := flag.Int64("seed", 1, "which bits")
	seconds := flag.Float64("seconds", 15, "stop flipping after this time, once every kind of file had one")
	flag.Parse()
	if *url != "" {
		return runRemote(*url, *token, strings.TrimSpace(*vkey), *old, *save)
	}
	l, err := loadLedger(*dir, strings.TrimSpace(*vkey))
	if err != nil {
		return err
	}
	s := &subject{ledger: l}
	if *receipt != "" {
		if s.receipt, err = os.ReadFile(*receipt); err != nil {
			return err
		}
		if s.entry, err = os.ReadFile(*entry); err != nil {
			return err
		}
	}
	if err := s.verify(); err != nil {
		return err
	}
	if *flips > 0 {
		return flipBits(s, *flips, *seed, *seconds)
	}
	tree, err := l.verify()
	if err != nil {
		return err
	}
	if err := l.proveByLibrary(tree, 200); err != nil {
		return fmt.Errorf("proofs by the library: %w", err)
	}
	fmt.Printf("%d entries, %d files, root %s\n", tree.N, len(l.files), tree.Hash)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
