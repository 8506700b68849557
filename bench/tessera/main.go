// Measures Tessera's POSIX driver in process, as bench_sequencer measures ours: entries of 600 bytes, N of them in flight,
// each waiting for its index (durable, in order), or for the checkpoint that covers it.
//
//	go run . [-seconds S] [DIR]
//
// Tessera takes opaque bytes: it verifies no signature. Prints a line for each row:
//
//	tessera ROW FLIGHT RATE P50 P99 MAX	(milliseconds)
package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const entrySize = 600

// A row is one way to run it. Size 0: Tessera's defaults.
type row struct {
	name       string
	size       uint
	age        time.Duration
	checkpoint time.Duration
	published  bool // waits for the checkpoint, not only for the index
	flights    []int
	seconds    float64 // at least
}

var rows = []row{
	{name: "defaults,index", flights: []int{1, 64, 512}},
	{name: "defaults,checkpoint", published: true, flights: []int{512}, seconds: 21},
	{name: "4096/20ms/200ms,index", size: 4096, age: 20 * time.Millisecond, checkpoint: 200 * time.Millisecond,
		flights: []int{1, 64, 512}},
	{name: "4096/20ms/200ms,checkpoint", size: 4096, age: 20 * time.Millisecond, checkpoint: 200 * time.Millisecond,
		published: true, flights: []int{1, 64, 512}},
	{name: "256/1ms/100ms,index", size: 256, age: time.Millisecond, checkpoint: 100 * time.Millisecond,
		flights: []int{1, 64, 512}},
}

func options(r row) (*tessera.AppendOptions, error) {
	private, _, err := note.GenerateKey(rand.Reader, "log.example/bench")
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return nil, err
	}
	o := tessera.NewAppendOptions().WithCheckpointSigner(signer)
	if r.size > 0 {
		o = o.WithBatching(r.size, r.age).WithCheckpointInterval(r.checkpoint)
	}
	return o, nil
}

// measure keeps `flight` entries on their way for some seconds and says how long each took.
func measure(add func(context.Context, []byte) error, flight int, length time.Duration) ([]time.Duration, time.Duration, error) {
	var (
		mutex sync.Mutex
		all   []time.Duration
		first error
		group sync.WaitGroup
		over  atomic.Bool
	)
	begin := time.Now()
	for range flight {
		group.Go(func() {
			var took []time.Duration
			var failed error
			entry := make([]byte, entrySize)
			for failed == nil && !over.Load() {
				rand.Read(entry)
				before := time.Now()
				failed = add(context.Background(), slices.Clone(entry))
				took = append(took, time.Since(before))
			}
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, took...)
			if first == nil {
				first = failed
			}
		})
	}
	time.Sleep(length)
	over.Store(true)
	group.Wait()
	return all, time.Since(begin), first
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func run(ctx context.Context, r row, dir string, length time.Duration) error {
	driver, err := posix.New(ctx, posix.Config{Path: dir})
	if err != nil {
		return err
	}
	o, err := options(r)
	if err != nil {
		return err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, o)
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 5*time.Millisecond)
	add := func(ctx context.Context, entry []byte) error {
		future := appender.Add(ctx, tessera.NewEntry(entry))
		var err error
		if r.published {
			_, _, err = awaiter.Await(ctx, future)
		} else {
			_, err = future()
		}
		return err
	}
	for _, flight := range r.flights {
		took, all, err := measure(add, flight, length)
		if err != nil {
			return fmt.Errorf("%s, %d in flight: %w", r.name, flight, err)
		}
		slices.Sort(took)
		fmt.Printf("tessera %s %d %.0f %.3f %.3f %.3f\n", r.name, flight, float64(len(took))/all.Seconds(),
			ms(took[len(took)/2]), ms(took[len(took)*99/100]), ms(took[len(took)-1]))
	}
	return shutdown(ctx)
}

func main() {
	seconds := flag.Float64("seconds", 4, "how long each row is measured")
	flag.Parse()
	parent, err := os.MkdirTemp(flag.Arg(0), "bench-tessera-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer os.RemoveAll(parent)
	for _, r := range rows {
		ctx, cancel := context.WithCancel(context.Background())
		length := time.Duration(max(*seconds, r.seconds) * float64(time.Second))
		err := run(ctx, r, filepath.Join(parent, strings.NewReplacer("/", "-", ",", "-").Replace(r.name)), length)
		cancel()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.RemoveAll(parent)
			os.Exit(1)
		}
	}
}
