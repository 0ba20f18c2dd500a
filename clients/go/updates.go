package taskgate

import (
	"context"
	"errors"
	"io"
	"iter"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Updates yields tasks as they change: first each one as it is, then each newer version, until all
// are final. It outlives lost connections and restarts of the server and misses nothing but
// versions that were overtaken by newer ones. An error is the last thing it yields; at the end of
// the context it is the context's.
func (c *Client) Updates(ctx context.Context, ids ...string) iter.Seq2[*taskgatev1.Task, error] {
	return func(yield func(*taskgatev1.Task, error) bool) {
		request := &taskgatev1.WatchRequest{}
		watched := map[string]*taskgatev1.WatchedTask{}
		for _, id := range ids {
			if watched[id] == nil {
				watched[id] = &taskgatev1.WatchedTask{Id: id}
				request.Tasks = append(request.Tasks, watched[id])
			}
		}
		var pause backoff
		next := func(task *taskgatev1.Task) bool {
			pause.reset()
			if seen := watched[task.GetId()]; seen != nil {
				seen.SeenVersion = task.GetVersion()
			}
			return yield(task, nil)
		}
		for {
			err := c.watchOnce(ctx, request, next)
			if err == nil {
				return
			}
			if err = pause.after(ctx, err); err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// watchOnce reads one stream until it ends or next wants no more.
func (c *Client) watchOnce(
	ctx context.Context, request *taskgatev1.WatchRequest, next func(*taskgatev1.Task) bool,
) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.Watch(ctx, request)
	for err == nil {
		var response *taskgatev1.WatchResponse
		if response, err = stream.Recv(); err == nil && !next(response.GetTask()) {
			return nil
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
