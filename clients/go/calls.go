package taskgate

import (
	"context"
	"crypto/rand"
	random "math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

// call makes a call as every unary one is made: with request ids, a deadline, repeated while the
// server is away, and with an [*Error] if it failed. Every call may be repeated: what submits has a
// request id, the others change nothing twice. gRPC's own retries end after five attempts.
func (o Options) call(
	ctx context.Context, method string, request, reply any,
	connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	ctx, cancel := o.withDeadline(ctx, request)
	defer cancel()
	request = withRequestIDs(request)
	var pause pause
	for {
		err := invoke(ctx, method, request, reply, connection, options...)
		if err == nil {
			return nil
		}
		if !isAway(ctx, connection, err) || !pause.wait(ctx, err) {
			return asError(err)
		}
	}
}

func (o Options) withDeadline(ctx context.Context, request any) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has || o.Timeout < 0 {
		return context.WithCancel(ctx)
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	if get, ok := request.(*taskgatev1.GetRequest); ok {
		timeout += get.GetWait().AsDuration()
	}
	return context.WithTimeout(ctx, timeout)
}

// isAway tells whether the same call may succeed later: nobody answers, or a server that goes ended
// the call, which it says as UNAVAILABLE or, depending on the moment, as CANCELLED; or as many calls
// as may be are under way.
func isAway(ctx context.Context, connection *grpc.ClientConn, err error) bool {
	switch status.Code(err) {
	case codes.Unavailable:
		return true
	case codes.Canceled:
		return ctx.Err() == nil && connection.GetState() != connectivity.Shutdown
	}
	return isTooManyCalls(err)
}

// pause spaces the attempts to reach a server that is away.
type pause struct {
	next time.Duration
}

// wait pauses, longer each time and somewhat at random, beyond what the server asked for; false if
// the context ends first.
func (p *pause) wait(ctx context.Context, err error) bool {
	p.next = min(max(2*p.next, firstPause), longestPause)
	timer := time.NewTimer(retryDelay(err) + p.next/2 + random.N(p.next/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// stream opens a stream whose errors are [*Error]s.
func stream(
	ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	opened, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, asError(err)
	}
	return typedStream{opened}, nil
}

type typedStream struct{ grpc.ClientStream }

func (s typedStream) RecvMsg(message any) error {
	return asError(s.ClientStream.RecvMsg(message))
}

// withRequestIDs leaves the caller's message as it is: sent twice, it means two tasks.
func withRequestIDs(request any) any {
	switch request := request.(type) {
	case *taskgatev1.SubmitRequest:
		return withRequestID(request)
	case *taskgatev1.RetryRequest:
		if request.GetRequestId() == "" {
			request = proto.CloneOf(request)
			request.RequestId = rand.Text()
		}
		return request
	case *taskgatev1.SubmitBatchRequest:
		batch := &taskgatev1.SubmitBatchRequest{}
		for _, item := range request.GetRequests() {
			batch.Requests = append(batch.Requests, withRequestID(item))
		}
		return batch
	}
	return request
}

func withRequestID(request *taskgatev1.SubmitRequest) *taskgatev1.SubmitRequest {
	if request.GetRequestId() == "" {
		request = proto.CloneOf(request)
		request.RequestId = rand.Text()
	}
	return request
}
