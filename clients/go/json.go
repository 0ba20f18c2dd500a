package taskgate

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// Arguments returns arguments as SubmitRequest.arguments_json and RetryRequest.arguments_json take
// them. The keyword arguments are what encoding/json makes an object of: a map, or a struct with
// json tags; nil if there are none. Every number stays as it is, which the doubles of args and
// kwargs cannot promise.
func Arguments(args []any, kwargs any) (string, error) {
	if args == nil {
		args = []any{}
	}
	object, err := marshal(kwargs)
	if err != nil {
		return "", err
	}
	if string(object) == "null" {
		object = json.RawMessage("{}")
	}
	if object[0] != '{' {
		return "", fmt.Errorf("kwargs are no JSON object but %s: pass a map or a struct", object)
	}
	text, err := marshal(map[string]any{"args": args, "kwargs": object})
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

// Result returns what a task returned, decoded as encoding/json does it: an integer that T cannot
// hold is an error, and in T's interface values numbers are a [json.Number]. For a task that has no
// result it is an [*UnsuccessfulError].
func Result[T any](task *taskgatev1.Task) (T, error) {
	var result T
	if task.GetState() != taskgatev1.TaskState_TASK_STATE_SUCCEEDED {
		return result, &UnsuccessfulError{task}
	}
	text, err := ResultJSON(task)
	if err != nil {
		return result, err
	}
	if text == nil { // a task in TASK_VIEW_BASIC
		return result, fmt.Errorf("task %s was answered without its result", task.GetId())
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&result); err != nil {
		return result, fmt.Errorf("the result of task %s: %w", task.GetId(), err)
	}
	return result, nil
}

func marshal(value any) (json.RawMessage, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), err
}
