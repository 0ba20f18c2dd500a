package taskgate_test

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

var unavailable = status.Error(codes.Unavailable, "gone fishing")

// server answers as its functions say and keeps what it was asked.
type server struct {
	taskgatev1.UnimplementedTaskServiceServer
	submit func(*taskgatev1.SubmitRequest) error
	get    func(*taskgatev1.GetRequest) (*taskgatev1.Task, error)
	watch  func(*taskgatev1.WatchRequest, grpc.ServerStreamingServer[taskgatev1.WatchResponse]) error

	mutex     sync.Mutex
	submitted []*taskgatev1.SubmitRequest
	retried   []*taskgatev1.RetryRequest
	tokens    []string
	agent     string
	deadlines chan time.Duration
}

func (s *server) Submit(
	ctx context.Context, request *taskgatev1.SubmitRequest,
) (*taskgatev1.SubmitResponse, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.submitted = append(s.submitted, request)
	headers, _ := metadata.FromIncomingContext(ctx)
	s.tokens = append(s.tokens, headers.Get("authorization")...)
	s.agent = headers.Get("user-agent")[0]
	s.noteDeadline(ctx)
	if s.submit != nil {
		if err := s.submit(request); err != nil {
			return nil, err
		}
	}
	return &taskgatev1.SubmitResponse{Task: &taskgatev1.Task{Id: "1"}}, nil
}

func (s *server) SubmitBatch(
	ctx context.Context, batch *taskgatev1.SubmitBatchRequest,
) (*taskgatev1.SubmitBatchResponse, error) {
	s.submitted = append(s.submitted, batch.GetRequests()...)
	return &taskgatev1.SubmitBatchResponse{}, nil
}

func (s *server) Retry(
	ctx context.Context, request *taskgatev1.RetryRequest,
) (*taskgatev1.RetryResponse, error) {
	s.retried = append(s.retried, request)
	return &taskgatev1.RetryResponse{}, nil
}

func (s *server) Get(
	ctx context.Context, request *taskgatev1.GetRequest,
) (*taskgatev1.GetResponse, error) {
	s.noteDeadline(ctx)
	if s.get == nil {
		return &taskgatev1.GetResponse{}, nil
	}
	task, err := s.get(request)
	return &taskgatev1.GetResponse{Task: task}, err
}

func (s *server) Watch(
	request *taskgatev1.WatchRequest, stream grpc.ServerStreamingServer[taskgatev1.WatchResponse],
) error {
	return s.watch(request, stream)
}

// noteDeadline keeps how much time a call has; 0 is without end.
func (s *server) noteDeadline(ctx context.Context) {
	if s.deadlines == nil {
		return
	}
	if deadline, has := ctx.Deadline(); has {
		s.deadlines <- time.Until(deadline)
	} else {
		s.deadlines <- 0
	}
}

// start serves on a loopback port until the test ends and returns a client of it.
func start(t *testing.T, s *server, options taskgate.Options, serving ...grpc.ServerOption) *taskgate.Client {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	grpcServer := grpc.NewServer(serving...)
	taskgatev1.RegisterTaskServiceServer(grpcServer, s)
	go grpcServer.Serve(listener)
	t.Cleanup(grpcServer.Stop)
	client, err := taskgate.NewClient(listener.Addr().String(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// exhausted is what a server answers that has too much to do.
func exhausted(t *testing.T, reason string, delay time.Duration) error {
	t.Helper()
	refusal, err := status.New(codes.ResourceExhausted, "too much").WithDetails(
		&errdetails.ErrorInfo{Reason: reason, Domain: "taskgate"},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(delay)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return refusal.Err()
}

func serveTLS(certificate tls.Certificate) grpc.ServerOption {
	return grpc.Creds(credentials.NewServerTLSFromCert(&certificate))
}

func task(state taskgatev1.TaskState, version int64) *taskgatev1.Task {
	return &taskgatev1.Task{Id: "1", State: state, Version: version}
}

const (
	running   = taskgatev1.TaskState_TASK_STATE_RUNNING
	succeeded = taskgatev1.TaskState_TASK_STATE_SUCCEEDED
)
