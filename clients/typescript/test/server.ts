import { once } from "node:events";
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import type { ServiceImpl } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { TaskService } from "../src/v1.js";

/** Serves until the test ends; returns the address. */
export async function serve(
  context: TestContext,
  service: Partial<ServiceImpl<typeof TaskService>>,
  tls?: { cert: string; key: string },
): Promise<string> {
  const handler = connectNodeAdapter({ routes: (router) => router.service(TaskService, service) });
  const server = tls ? createSecureServer(tls, handler) : createServer(handler);
  const sessions = remember(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => {
    sessions.forEach((session) => session.destroy());
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function remember(server: Http2Server): Set<ServerHttp2Session> {
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  return sessions;
}
