import { readFileSync } from "node:fs";
import { createClient, type Client, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { TaskService } from "./gen/taskgate/v1/task_service_pb.js";
import { repeatUnavailable } from "./repeating.js";
import { setRequestIds } from "./request-id.js";

/** All calls of a server, as generated from the protos. */
export type TaskClient = Client<typeof TaskService>;

/** How to reach a server. */
export interface ConnectOptions {
  /** Encrypt the connection; true trusts the system's authorities. Without it: plain text. */
  tls?: boolean | TlsFiles;
  /** Sent with each call as "authorization: Bearer …". Without TLS it travels readable. */
  token?: string;
}

/** PEM files for TLS. */
export interface TlsFiles {
  /** Trust these authorities and no others. */
  ca?: string;
  /** The client's certificate, for servers that want one. */
  cert?: string;
  /** Its key. */
  key?: string;
}

/**
 * Returns a client of the server at `target`, for example "127.0.0.1:50051". It connects with the
 * first call.
 */
export function connect(target: string, options: ConnectOptions = {}): TaskClient {
  const transport = createGrpcTransport({
    baseUrl: `${options.tls ? "https" : "http"}://${target}`,
    interceptors: [setRequestIds, repeatUnavailable, bearer(options.token)],
    // A server that vanished without a word is noticed while a call waits for it.
    pingIntervalMs: 30_000,
    pingTimeoutMs: 10_000,
    nodeOptions: tlsOptions(options.tls),
  });
  return createClient(TaskService, transport);
}

function bearer(token: string | undefined): Interceptor {
  return (next) => (request) => {
    if (token) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
}

function tlsOptions(files: ConnectOptions["tls"]) {
  if (typeof files !== "object") return {};
  const given = Object.entries(files).filter(([, path]) => path !== undefined);
  return Object.fromEntries(given.map(([name, path]) => [name, readFileSync(path as string)]));
}
