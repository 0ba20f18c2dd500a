package taskgate

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Updates yields tasks as they change: first each one as it is, then each newer version, until all
// are final. It outlives lost connections and restarts of the server and misses nothing but
// versions that were overtaken by newer ones. An error is the last thing it yields; at the end of
// the context it is the context's.
func (c *Client) Updates(ctx context.Context, ids ...string) iter.Seq2[*taskgatev1.Task, error] {
	return func(yield func(*taskgatev1.Task, error) bool) {
		seen := map[string]*taskgatev1.Task{}
		var pause pause
		next := func(task *taskgatev1.Task) bool {
			pause.next = 0
			if task.GetVersion() <= seen[task.GetId()].GetVersion() {
				return true
			}
			seen[task.GetId()] = task
			return yield(task, nil)
		}
		for {
			request := unfinished(ids, seen)
			if len(ids) > 0 && len(request.GetTasks()) == 0 {
				return
			}
			err := c.watchOnce(ctx, request, next)
			if err == nil {
				return
			}
			if !isAway(ctx, c.connection, err) || !pause.wait(ctx, err) {
				yield(nil, cmp.Or(ctx.Err(), err))
				return
			}
		}
	}
}

// unfinished asks for what is newer than what was seen of the tasks that have not ended. Ids are
// answered in lower case.
func unfinished(ids []string, seen map[string]*taskgatev1.Task) *taskgatev1.WatchRequest {
	request := &taskgatev1.WatchRequest{}
	for _, id := range ids {
		task := seen[id]
		if task == nil {
			task = seen[strings.ToLower(id)]
		}
		if !IsFinal(task.GetState()) {
			watched := &taskgatev1.WatchedTask{Id: id, SeenVersion: task.GetVersion()}
			request.Tasks = append(request.Tasks, watched)
		}
	}
	return request
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
