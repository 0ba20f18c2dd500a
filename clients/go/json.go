package taskgate

import (
	"bytes"
	"encoding/json"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Arguments returns arguments as SubmitRequest.arguments_json and RetryRequest.arguments_json take
// them. It keeps every number as it is, which the doubles of args and kwargs cannot.
func Arguments(args []any, kwargs map[string]any) (string, error) {
	if args == nil {
		args = []any{}
	}
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	text, err := marshal(map[string]any{"args": args, "kwargs": kwargs})
	return string(text), err
}

// ArgumentsJSON returns a task's arguments, `{"args": […], "kwargs": {…}}`, with every number as it
// was submitted.
func ArgumentsJSON(task *taskgatev1.Task) (json.RawMessage, error) {
	if text := task.GetArgumentsJson(); text != "" {
		return json.RawMessage(text), nil
	}
	return marshal(map[string]any{
		"args":   task.GetArgs().AsSlice(),
		"kwargs": task.GetKwargs().AsMap(),
	})
}

// ResultJSON returns what a task returned, with every number as it was. It returns nil if there is
// no result: a task that returned None has the result null.
func ResultJSON(task *taskgatev1.Task) (json.RawMessage, error) {
	if text := task.GetResultJson(); text != "" {
		return json.RawMessage(text), nil
	}
	if task.GetResult() == nil {
		return nil, nil
	}
	return marshal(task.GetResult().AsInterface())
}

func marshal(value any) (json.RawMessage, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), err
}
