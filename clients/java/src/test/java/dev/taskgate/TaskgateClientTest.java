package dev.taskgate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.taskgate.v1.RetryRequest;
import dev.taskgate.v1.SubmitBatchRequest;
import dev.taskgate.v1.SubmitRequest;
import io.grpc.ServerCredentials;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsServerCredentials;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskgateClientTest {
  private static final SubmitRequest ADD = SubmitRequest.newBuilder().setTaskType("demo.add").build();

  @Test
  void submissionsGetARequestIdOfTheirOwn() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      client.blocking().submit(ADD);
      client.blocking().submit(ADD);
      client.blocking().retry(RetryRequest.getDefaultInstance());
      var mine = ADD.toBuilder().setRequestId("mine");
      client
          .blocking()
          .submitBatch(SubmitBatchRequest.newBuilder().addRequests(ADD).addRequests(mine).build());
      assertEquals(5, new HashSet<>(server.requestIds).size());
      assertFalse(server.requestIds.contains(""));
      assertEquals("mine", server.requestIds.get(4));
    }
  }

  @Test
  void aSubmitThatFindsTheServerAwayIsRepeatedWithTheSameRequestId() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      server.onSubmit =
          request -> {
            if (server.requestIds.size() < 3) {
              throw ServerFixture.AWAY;
            }
          };
      client.blocking().submit(ADD);
      assertEquals(3, server.requestIds.size());
      assertEquals(1, new HashSet<>(server.requestIds).size());
    }
  }

  @Test
  void aSubmitIsRepeatedForLongerThanGrpcDoesByItself() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      server.onSubmit =
          request -> {
            if (server.requestIds.size() < 8) {
              throw server.requestIds.size() % 2 == 0
                  ? ServerFixture.AWAY
                  : Status.CANCELLED.asRuntimeException();
            }
          };
      client.blocking().submit(ADD);
      assertEquals(8, server.requestIds.size());
      assertEquals(1, new HashSet<>(server.requestIds).size());
    }
  }

  @Test
  void aSubmitAmongTooManyCallsIsRepeatedWhenTheServerAskedFor() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      var times = new ArrayList<Long>();
      server.onSubmit =
          request -> {
            times.add(System.nanoTime());
            if (times.size() < 3) {
              throw ServerFixture.refusal(Reasons.TOO_MANY_CALLS);
            }
          };
      client.blocking().submit(ADD);
      assertEquals(1, new HashSet<>(server.requestIds).size());
      assertTrue(times.get(1) - times.get(0) >= ServerFixture.DELAY.toNanos());
      assertEquals(3, times.size());
    }
  }

  @Test
  void aFullQueueIsToldAtOnce() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      server.onSubmit =
          request -> {
            throw ServerFixture.refusal(Reasons.QUEUE_FULL);
          };
      var stub = client.blocking();
      var thrown = assertThrows(StatusRuntimeException.class, () -> stub.submit(ADD));
      assertEquals(Reasons.QUEUE_FULL, TaskgateError.of(thrown).reason());
      assertEquals(1, server.requestIds.size());
    }
  }

  @Test
  void aTokenIsNotSentInPlainTextUnlessToldTo() throws IOException {
    try (var server = new ServerFixture()) {
      var builder = TaskgateClient.builder(server.address()).token("secret");
      assertThrows(IllegalStateException.class, builder::build);
      try (var client = builder.plainTextToken().build()) {
        client.blocking().submit(ADD);
      }
      assertEquals(List.of("Bearer secret"), server.authorizations);
    }
  }

  @Test
  void aCallHasADeadlineUnlessItBringsOne() throws IOException {
    try (var server = new ServerFixture();
        var client =
            TaskgateClient.builder(server.address())
                .timeout(Duration.ofMillis(300))
                .token(null)
                .build()) {
      server.onSubmit =
          request -> {
            throw ServerFixture.AWAY;
          };
      var stub = client.blocking();
      var thrown = assertThrows(StatusRuntimeException.class, () -> stub.submit(ADD));
      assertEquals(Status.Code.DEADLINE_EXCEEDED, thrown.getStatus().getCode());
      assertEquals(List.of(), server.authorizations);
    }
  }

  @Test
  void closingWithTimeLetsCallsEnd() throws Exception {
    try (var server = new ServerFixture()) {
      var client = TaskgateClient.connect(server.address());
      var called = new CountDownLatch(1);
      var goOn = new CountDownLatch(1);
      server.onSubmit =
          request -> {
            called.countDown();
            try {
              goOn.await(10, TimeUnit.SECONDS);
            } catch (InterruptedException interruption) {
              throw new AssertionError(interruption);
            }
          };
      var answer = client.future().submit(ADD);
      called.await(10, TimeUnit.SECONDS);
      goOn.countDown();
      client.close(Duration.ofSeconds(30));
      // The channel ends before its executor has run the last callback.
      answer.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void theVersionIsThatOfTheArtifact() throws IOException {
    var pom = Files.readString(Path.of("pom.xml"));
    assertTrue(pom.contains("<version>" + TaskgateClient.VERSION + "</version>"));
  }

  @Test
  void otherErrorsAreNotRepeated() throws IOException {
    try (var server = new ServerFixture();
        var client = TaskgateClient.connect(server.address())) {
      server.onSubmit =
          request -> {
            throw Status.INVALID_ARGUMENT.asRuntimeException();
          };
      var stub = client.blocking();
      assertThrows(StatusRuntimeException.class, () -> stub.submit(ADD));
      assertEquals(1, server.requestIds.size());
    }
  }

  @Test
  void theTokenTravelsOverTlsThatTrustsTheAuthority(@TempDir Path folder) throws Exception {
    var ours = new Certificate(folder.resolve("ours"));
    var other = new Certificate(folder.resolve("other"));
    try (var server = new ServerFixture(ours.credentials());
        var client =
            TaskgateClient.builder(server.address()).tls(ours.pem()).token("secret").build();
        var stranger =
            TaskgateClient.builder(server.address()).tls(other.pem()).token("secret").build()) {
      client.blocking().submit(ADD);
      var stub = stranger.blocking().withDeadlineAfter(2, TimeUnit.SECONDS);
      assertThrows(StatusRuntimeException.class, () -> stub.submit(ADD));
      assertEquals(List.of("Bearer secret"), server.authorizations);
    }
  }

  /** A key for 127.0.0.1, made by the JDK's keytool, and the certificate that vouches for it. */
  private static final class Certificate {
    private static final String PASSWORD = "for-a-test";

    private final Path path;
    private final KeyStore keys = KeyStore.getInstance("PKCS12");

    Certificate(Path path) throws IOException, InterruptedException, GeneralSecurityException {
      this.path = path;
      keytool("-genkeypair", "-alias", "key", "-keyalg", "EC", "-dname", "CN=taskgate");
      try (var file = Files.newInputStream(path)) {
        keys.load(file, PASSWORD.toCharArray());
      }
    }

    File pem() throws IOException, GeneralSecurityException {
      var body = Base64.getMimeEncoder().encodeToString(keys.getCertificate("key").getEncoded());
      var text = "-----BEGIN CERTIFICATE-----\n" + body + "\n-----END CERTIFICATE-----\n";
      return Files.writeString(Path.of(path + ".pem"), text).toFile();
    }

    ServerCredentials credentials() throws IOException, GeneralSecurityException {
      var factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(keys, PASSWORD.toCharArray());
      return TlsServerCredentials.newBuilder().keyManager(factory.getKeyManagers()).build();
    }

    private void keytool(String... options) throws IOException, InterruptedException {
      var line = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/keytool"));
      line.addAll(List.of(options));
      line.addAll(List.of("-ext", "san=ip:127.0.0.1", "-keystore", path.toString()));
      line.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
      var process = new ProcessBuilder(line).redirectErrorStream(true).start();
      var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertEquals(0, process.waitFor(), output);
    }
  }
}
