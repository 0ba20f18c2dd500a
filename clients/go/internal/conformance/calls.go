package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

type failure struct {
	Code   string   `json:"code"`
	Reason string   `json:"reason"`
	Fields []string `json:"fields"`
}

func invoke(ctx context.Context, c *taskgate.Client, method string, text []byte) (result, error) {
	switch method {
	case "Submit":
		return unary(ctx, c.Submit, text, &taskgatev1.SubmitRequest{})
	case "Get":
		return unary(ctx, c.Get, text, &taskgatev1.GetRequest{})
	case "Retry":
		return unary(ctx, c.Retry, text, &taskgatev1.RetryRequest{})
	case "Abort":
		return unary(ctx, c.Abort, text, &taskgatev1.AbortRequest{})
	case "SubmitBatch":
		return unary(ctx, c.SubmitBatch, text, &taskgatev1.SubmitBatchRequest{})
	case "List":
		return unary(ctx, c.List, text, &taskgatev1.ListRequest{})
	case "ListTaskTypes":
		return unary(ctx, c.ListTaskTypes, text, &taskgatev1.ListTaskTypesRequest{})
	case "ListWorkers":
		return unary(ctx, c.ListWorkers, text, &taskgatev1.ListWorkersRequest{})
	case "ListQueues":
		return unary(ctx, c.ListQueues, text, &taskgatev1.ListQueuesRequest{})
	case "GetStats":
		return unary(ctx, c.GetStats, text, &taskgatev1.GetStatsRequest{})
	case "Watch":
		return watch(ctx, c, text)
	}
	return result{}, fmt.Errorf("no method %q", method)
}

func unary[Request, Response proto.Message](
	ctx context.Context,
	call func(context.Context, Request, ...grpc.CallOption) (Response, error),
	text []byte,
	request Request,
) (result, error) {
	if err := protojson.Unmarshal(text, request); err != nil {
		return result{}, err
	}
	response, err := call(ctx, request)
	if err != nil {
		return failed(err)
	}
	answer, err := protojson.Marshal(response)
	return result{Response: answer}, err
}

func watch(ctx context.Context, c *taskgate.Client, text []byte) (result, error) {
	request := &taskgatev1.WatchRequest{}
	if err := protojson.Unmarshal(text, request); err != nil {
		return result{}, err
	}
	stream, err := c.Watch(ctx, request)
	if err != nil {
		return failed(err)
	}
	responses := []json.RawMessage{}
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return result{Responses: responses}, nil
		}
		if err != nil {
			return failed(err)
		}
		answer, err := protojson.Marshal(response)
		if err != nil {
			return result{}, err
		}
		responses = append(responses, answer)
	}
}

func failed(err error) (result, error) {
	var refusal *taskgate.Error
	if !errors.As(err, &refusal) {
		return result{}, err
	}
	fields := []string{}
	for _, violation := range refusal.Violations {
		fields = append(fields, violation.Field)
	}
	return result{Error: &failure{code.Code(refusal.Code).String(), refusal.Reason, fields}}, nil
}
