package taskgate

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	firstBackoff = 200 * time.Millisecond
	maxBackoff   = 5 * time.Second
)

// backoff spaces the attempts to reach a server that is away.
type backoff struct {
	next time.Duration
}

func (b *backoff) reset() {
	b.next = 0
}

// after waits, longer each time and somewhat at random, and returns nil if the call that failed may
// work now. Otherwise it returns why not: the context's error or the call's own.
func (b *backoff) after(ctx context.Context, err error) error {
	if ctx.Err() == nil && !isTransient(err) {
		return err
	}
	b.next = min(max(2*b.next, firstBackoff), maxBackoff)
	timer := time.NewTimer(b.next/2 + rand.N(b.next/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isTransient tells whether a call may work later. A deadline can only be the context's, and is
// reported as that.
func isTransient(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}
