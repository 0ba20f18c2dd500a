package taskgate_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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
	options := taskgate.Options{TLS: trust, Dial: []grpc.DialOption{grpc.WithDisableRetry()}}
	client := start(t, s, options, serveTLS(certificate))
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
