package llm

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// pool lends a fixed number of helper goroutines to forward passes.
//
// The goroutine that runs a forward pass is itself a worker: it publishes a job, works on it, and waits
// only for helpers that have a chunk in hand. A helper that the operating system has descheduled
// between chunks therefore delays nobody, and one that is late finds its share taken by the others.
// With as many passes at work as there are threads, the helpers have nothing left to offer, and a
// further pass simply runs alone.
type pool struct {
	threads  int // callers and helpers that work on one pass at most
	slots    []atomic.Pointer[job]
	sleeping atomic.Int32
	wake     chan struct{}
	start    sync.Once
	closing  atomic.Bool
	helpers  sync.WaitGroup
}

// helperSpins is how often an idle helper looks for work before it parks: some tens of microseconds,
// longer than the pause between two products of a pass, shorter than anybody notices on a bill.
const helperSpins = 4000

// callerSpins is how often a caller looks whether the last helper is done before it parks, which gives
// its CPU to a helper that was descheduled with a chunk in hand.
const callerSpins = 2000

func newPool(threads int) *pool {
	return &pool{
		threads: threads,
		slots:   make([]atomic.Pointer[job], threads),
		wake:    make(chan struct{}, threads),
	}
}

// close ends the helpers and waits for them. No job may be running or be run later.
func (p *pool) close() {
	p.start.Do(func() {}) // from now on no helper is started
	p.closing.Store(true)
	for range p.threads {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
	p.helpers.Wait()
}

// helper works on whatever job is open, spins a little when there is none, then parks.
func (p *pool) helper(worker int) {
	defer p.helpers.Done()
	for {
		for spin := 0; spin < helperSpins; spin++ {
			if p.closing.Load() {
				return
			}
			if p.assist(worker) {
				spin = 0
			} else if spin%16 == 15 {
				runtime.Gosched()
			}
		}
		// Announce the sleep, then look once more: a caller that opened its job before it could see the
		// announcement is found here, and one that opens it later sees the announcement and wakes us.
		p.sleeping.Add(1)
		if !p.closing.Load() && !p.assist(worker) {
			<-p.wake
		}
		p.sleeping.Add(-1)
	}
}

// assist takes chunks of every open job and reports whether there was one.
func (p *pool) assist(worker int) bool {
	worked := false
	for i := range p.slots {
		j := p.slots[i].Load()
		if j == nil || !j.open.Load() {
			continue
		}
		// The job may have been finished and even filled anew since the look above. Entering first and
		// looking again makes that harmless: its owner writes only while nobody is inside.
		j.inside.Add(1)
		if j.open.Load() {
			worked = j.takeChunks(worker) || worked
		}
		if j.inside.Add(-1) == 0 && j.waiting.CompareAndSwap(true, false) {
			j.idle <- struct{}{}
		}
	}
	return worked
}

// job is one caller's place in the pool. It is reused for product after product, so that running one
// allocates nothing. A job belongs to one goroutine at a time; only the pool's helpers look into it.
type job struct {
	pool   *pool
	cancel <-chan struct{} // closed when the caller's context ends; nil for never
	closed *atomic.Bool    // set when the model closes

	work   func(begin, end int)
	items  int
	chunk  int     // items per chunk
	shares []share // [threads]

	open      atomic.Bool  // helpers may take chunks
	inside    atomic.Int32 // helpers that are in the job
	waiting   atomic.Bool  // the caller is parked until inside is 0
	idle      chan struct{}
	abandoned atomic.Bool // cancelled: chunks are no longer taken
}

// share is a contiguous run of chunks that one worker takes in order, for the sake of the memory's
// prefetcher, until it is empty and the worker turns to the others' shares.
type share struct {
	next atomic.Int64
	end  int64
	_    [48]byte // a cache line each
}

func newJob(p *pool, closed *atomic.Bool) *job {
	return &job{pool: p, closed: closed, shares: make([]share, p.threads), idle: make(chan struct{}, 1)}
}

// enter gives the job a slot that helpers look into, if one is free, until leave.
func (j *job) enter(cancel <-chan struct{}) {
	j.cancel = cancel
	j.abandoned.Store(false)
	if j.pool.threads == 1 {
		return
	}
	j.pool.start.Do(func() {
		for worker := 1; worker < j.pool.threads; worker++ {
			j.pool.helpers.Add(1)
			go j.pool.helper(worker)
		}
	})
	for i := range j.pool.slots {
		if j.pool.slots[i].CompareAndSwap(nil, j) {
			return
		}
	}
}

func (j *job) leave() {
	for i := range j.pool.slots {
		if j.pool.slots[i].CompareAndSwap(j, nil) {
			break
		}
	}
	j.cancel = nil
}

// run calls work on disjoint ranges that together cover [0, items), each chunk long but for the last,
// from the calling goroutine and the helpers, and returns when all are done or the job is abandoned.
// work must give the same result however the items are split.
func (j *job) run(items, chunk int, work func(begin, end int)) {
	if j.stopped() {
		return
	}
	chunks := (items + chunk - 1) / chunk
	if chunks <= 1 {
		work(0, items)
		return
	}
	j.work, j.items, j.chunk = work, items, chunk
	threads := j.pool.threads
	for w := range j.shares {
		j.shares[w].next.Store(int64(w * chunks / threads))
		j.shares[w].end = int64((w + 1) * chunks / threads)
	}
	if threads == 1 {
		j.takeChunks(0)
		return
	}
	j.open.Store(true)
	for range min(int(j.pool.sleeping.Load()), chunks-1) {
		select {
		case j.pool.wake <- struct{}{}:
		default:
		}
	}
	j.takeChunks(0)
	j.open.Store(false)
	j.awaitHelpers()
	j.work = nil
}

// awaitHelpers returns when no helper is inside the job.
func (j *job) awaitHelpers() {
	for spin := 0; spin < callerSpins; spin++ {
		if j.inside.Load() == 0 {
			return
		}
		if spin%32 == 31 {
			runtime.Gosched()
		}
	}
	for {
		j.waiting.Store(true)
		if j.inside.Load() == 0 && j.waiting.CompareAndSwap(true, false) {
			return
		}
		<-j.idle
		if j.inside.Load() == 0 {
			return
		}
	}
}

// takeChunks works until no chunk is left, first in the worker's own share, then in the others', and
// reports whether it did any.
func (j *job) takeChunks(worker int) bool {
	worked := false
	for i := range j.shares {
		s := &j.shares[(worker+i)%len(j.shares)]
		for s.next.Load() < s.end {
			c := s.next.Add(1) - 1
			if c >= s.end {
				break
			}
			if j.stopped() {
				return worked
			}
			begin := int(c) * j.chunk
			j.work(begin, min(begin+j.chunk, j.items))
			worked = true
		}
	}
	return worked
}

// stopped reports whether the job is to be abandoned, because its context ended or the model closes.
func (j *job) stopped() bool {
	if j.abandoned.Load() {
		return true
	}
	select {
	case <-j.cancel:
		j.abandoned.Store(true)
		return true
	default:
	}
	if j.closed.Load() {
		j.abandoned.Store(true)
		return true
	}
	return false
}
