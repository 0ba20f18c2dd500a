package taskgate

import (
	"context"
	"crypto/rand"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

// It stands above gRPC's own retries: all attempts of one call carry the same id.
func setRequestIDs(
	ctx context.Context, method string, request, reply any,
	connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	return invoke(ctx, method, withRequestIDs(request), reply, connection, options...)
}

// The caller's message stays as it is: sent twice, it means two tasks.
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
