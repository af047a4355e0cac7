/** A stand-in for MinIO: its command line, its environment variables, the S3 operations that most programs use. */
import { type Server, createServer } from 'node:http';
import { type Api, answer } from '#images/minio/server/api.ts';
import { type Address, type Settings, parseArguments } from '#images/minio/server/arguments.ts';
import { MultipartUploads } from '#images/minio/server/multipart.ts';
import { Storage } from '#images/minio/server/storage.ts';

async function serve(settings: Settings): Promise<void> {
  const storage = new Storage(settings.folder);
  storage.open();
  const { accessKey, secretKey, region } = settings;
  const api: Api = { keys: { accessKey, secretKey }, region, storage, uploads: new MultipartUploads(storage) };
  const servers = [createServer((request, response) => void answer(api, request, response))];
  console.log(
    `API: ${await listen(servers[0]!, settings.api)} (peapod's stand-in for MinIO), objects in ${settings.folder}`,
  );
  if (settings.console) {
    const page = createServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(consolePage),
    );
    servers.push(page);
    console.log(`Console: ${await listen(page, settings.console)}`);
  }
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => {
      console.log(`Exiting on signal: ${name}`);
      for (const server of servers) server.close();
      for (const server of servers) server.closeIdleConnections();
      // Requests under way get a moment; the last connection's end is the process's.
      setTimeout(() => process.exit(0), 2000).unref();
    });
}

const consolePage = `<!doctype html><meta charset="utf-8"><title>S3 server</title>
<p>This server stands in for MinIO. It has no web console; its S3 API works.</p>\n`;

/** Returns where it listens. */
function listen(server: Server, { host, port }: Address): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  server.once('error', reject);
  // Without a host Node listens on all addresses of both families.
  server.listen({ port, ...(host !== '' && { host }) }, () => {
    const address = server.address();
    resolve(
      typeof address === 'object' && address
        ? `http://${host === '' ? '0.0.0.0' : host}:${address.port}`
        : String(address),
    );
  });
  return promise;
}

const wish = parseArguments(process.argv.slice(2), process.env);
if (wish.kind === 'wrong') {
  console.error(`ERROR ${wish.why}`);
  process.exitCode = 1;
} else {
  await serve(wish.settings).catch((error: unknown) => {
    console.error(`FATAL Unable to start the server: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
