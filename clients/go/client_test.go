package taskgate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	taskgate "github.com/taskgate/taskgate/clients/go"
	"github.com/taskgate/taskgate/clients/go/taskgatev1"
)

func TestSubmissionsGetARequestIDOfTheirOwn(t *testing.T) {
	s := &server{}
	client := start(t, s, taskgate.Options{})
	request := &taskgatev1.SubmitRequest{TaskType: "demo.add"}
	for range 2 {
		if _, err := client.Submit(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.SubmitBatch(t.Context(), &taskgatev1.SubmitBatchRequest{
		Requests: []*taskgatev1.SubmitRequest{request, {RequestId: "mine"}},
	}); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, submitted := range s.submitted {
		ids[submitted.RequestId] = true
	}
	if len(ids) != 4 || ids[""] || !ids["mine"] {
		t.Errorf("request ids: %v", ids)
	}
	if request.RequestId != "" {
		t.Error("the caller's message was changed")
	}
}

func TestRetryGetsARequestID(t *testing.T) {
	s := &server{}
	client := start(t, s, taskgate.Options{})
	for _, id := range []string{"", "mine"} {
		if _, err := client.Retry(t.Context(), &taskgatev1.RetryRequest{RequestId: id}); err != nil {
			t.Fatal(err)
		}
	}
	if s.retried[0].RequestId == "" || s.retried[1].RequestId != "mine" {
		t.Errorf("request ids: %v", s.retried)
	}
}

func TestASubmitThatFindsTheServerAwayIsRepeatedWithTheSameRequestID(t *testing.T) {
	calls := 0
	s := &server{submit: func(*taskgatev1.SubmitRequest) error {
		if calls++; calls < 3 {
			return unavailable
		}
		return nil
	}}
	client := start(t, s, taskgate.Options{})
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); err != nil {
		t.Fatal(err)
	}
	first := s.submitted[0].RequestId
	if len(s.submitted) != 3 || first == "" || s.submitted[2].RequestId != first {
		t.Errorf("submitted: %v", s.submitted)
	}
}

func TestASubmitAmongTooManyCallsIsRepeatedWhenTheServerAskedFor(t *testing.T) {
	var times []time.Time
	s := &server{submit: func(*taskgatev1.SubmitRequest) error {
		if times = append(times, time.Now()); len(times) < 3 {
			return exhausted(t, taskgate.ReasonTooManyCalls, 300*time.Millisecond)
		}
		return nil
	}}
	client := start(t, s, taskgate.Options{})
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); err != nil {
		t.Fatal(err)
	}
	if len(times) != 3 || times[1].Sub(times[0]) < 300*time.Millisecond {
		t.Errorf("called at %v", times)
	}
}

func TestAFullQueueIsToldAtOnce(t *testing.T) {
	s := &server{submit: func(*taskgatev1.SubmitRequest) error {
		return exhausted(t, taskgate.ReasonQueueFull, time.Second)
	}}
	_, err := start(t, s, taskgate.Options{}).Submit(t.Context(), &taskgatev1.SubmitRequest{})
	var failed *taskgate.Error
	if !errors.As(err, &failed) || failed.Reason != taskgate.ReasonQueueFull || len(s.submitted) != 1 {
		t.Errorf("error %v after %d calls", err, len(s.submitted))
	}
}

func TestOtherErrorsAreNotRepeated(t *testing.T) {
	s := &server{submit: func(*taskgatev1.SubmitRequest) error {
		return status.Error(codes.InvalidArgument, "no")
	}}
	client := start(t, s, taskgate.Options{})
	_, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{})
	if status.Code(err) != codes.InvalidArgument || len(s.submitted) != 1 {
		t.Errorf("%v after %d calls", err, len(s.submitted))
	}
}

func TestACallThatTheServerCancelledIsRepeated(t *testing.T) {
	calls := 0
	s := &server{get: func(*taskgatev1.GetRequest) (*taskgatev1.Task, error) {
		if calls++; calls < 8 { // gRPC's own retries end after five attempts
			return nil, status.Error(codes.Canceled, "going")
		}
		return task(succeeded, 1), nil
	}}
	if _, err := start(t, s, taskgate.Options{}).Get(t.Context(), &taskgatev1.GetRequest{}); err != nil {
		t.Error(err)
	}
}

func TestACallThatItsCallerCancelledIsNotRepeated(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	s := &server{get: func(*taskgatev1.GetRequest) (*taskgatev1.Task, error) {
		calls++
		cancel()
		return nil, unavailable
	}}
	_, err := start(t, s, taskgate.Options{}).Get(ctx, &taskgatev1.GetRequest{})
	if err == nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

func TestACallOfAClosedClientIsNotRepeated(t *testing.T) {
	client := start(t, &server{}, taskgate.Options{})
	client.Close()
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestACallHasADeadline(t *testing.T) {
	left := make(chan time.Duration, 3)
	s := &server{deadlines: left}
	client := start(t, s, taskgate.Options{})
	client.Submit(t.Context(), &taskgatev1.SubmitRequest{})
	within(t, <-left, taskgate.DefaultTimeout)
	client.Get(t.Context(), &taskgatev1.GetRequest{Wait: durationpb.New(time.Minute)})
	within(t, <-left, taskgate.DefaultTimeout+time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	client.Submit(ctx, &taskgatev1.SubmitRequest{})
	within(t, <-left, time.Hour)
	client = start(t, s, taskgate.Options{Timeout: 5 * time.Minute})
	client.Submit(t.Context(), &taskgatev1.SubmitRequest{})
	within(t, <-left, 5*time.Minute)
	client = start(t, s, taskgate.Options{Timeout: -1})
	client.Submit(t.Context(), &taskgatev1.SubmitRequest{})
	if found := <-left; found != 0 {
		t.Errorf("%v left", found)
	}
}

func within(t *testing.T, left, want time.Duration) {
	t.Helper()
	if left > want || left < want-20*time.Second {
		t.Errorf("%v left, not %v", left, want)
	}
}

func TestATokenNeedsTLSUnlessToldOtherwise(t *testing.T) {
	_, err := taskgate.NewClient("127.0.0.1:1", taskgate.Options{Token: "secret"})
	if err == nil || !strings.Contains(err.Error(), "PlainTextToken") {
		t.Errorf("error: %v", err)
	}
	s := &server{}
	client := start(t, s, taskgate.Options{Token: "secret", PlainTextToken: true})
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); err != nil || len(s.tokens) != 1 {
		t.Errorf("error %v, tokens %q", err, s.tokens)
	}
}

func TestACallSaysTheClientsVersion(t *testing.T) {
	s := &server{}
	if _, err := start(t, s, taskgate.Options{}).Submit(t.Context(), &taskgatev1.SubmitRequest{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.agent, "taskgate-go/"+taskgate.Version) {
		t.Error(s.agent)
	}
}

func TestTheTokenTravelsOverTLSThatTrustsTheCA(t *testing.T) {
	certificate, caFile := certify(t)
	trust, err := taskgate.TrustCA(caFile)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	client := start(t, s, taskgate.Options{TLS: trust, Token: "secret"}, serveTLS(certificate))
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); err != nil {
		t.Fatal(err)
	}
	if len(s.tokens) != 1 || s.tokens[0] != "Bearer secret" {
		t.Errorf("tokens: %q", s.tokens)
	}
}

func TestAServerOfAnUnknownCAIsRefused(t *testing.T) {
	certificate, _ := certify(t)
	_, otherCA := certify(t)
	trust, err := taskgate.TrustCA(otherCA)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	client := start(t, s, taskgate.Options{TLS: trust, Timeout: time.Second}, serveTLS(certificate))
	if _, err := client.Submit(t.Context(), &taskgatev1.SubmitRequest{}); err == nil || s.submitted != nil {
		t.Errorf("error %v, submitted %v", err, s.submitted)
	}
}

func TestACAFileWithoutACertificateIsAnError(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, empty + ".missing"} {
		if _, err := taskgate.TrustCA(path); err == nil {
			t.Errorf("%s was taken", path)
		}
	}
}

// certify makes a certificate for 127.0.0.1 and the PEM file that vouches for it.
func certify(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: der}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, path
}
