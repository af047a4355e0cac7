/**
 * Just enough of CRI for tests of the host: real sandboxes in a containerd, from an image that is 130 bytes of machine
 * code, so that neither a registry nor the image kit nor the CRI layer is needed.
 */
import { credentials, Client } from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '#host/process.ts';

export const PAUSE_IMAGE = 'host.test/pause:1';

export interface TestPod {
  readonly name: string;
  readonly uid: string;
  readonly cgroupParent: string;
}

export interface TestSandbox {
  readonly id: string;
  readonly ready: boolean;
  readonly addresses: readonly string[];
}

/** Imports the image into the containerd at `socket`, under PAUSE_IMAGE. */
export async function importPauseImage(socket: string, signal: AbortSignal): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'host-pods-'));
  try {
    const archive = await pauseArchive(directory, signal);
    await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', archive], {}, signal);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

export class TestCri implements Disposable {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure());
  }

  async run(pod: TestPod): Promise<string> {
    const { podSandboxId } = await this.#call('RunPodSandbox', {
      config: {
        metadata: { name: pod.name, uid: pod.uid, namespace: 'default', attempt: 0 },
        hostname: pod.name,
        logDirectory: '/tmp',
        linux: { cgroupParent: pod.cgroupParent },
      },
    });
    if (typeof podSandboxId !== 'string') throw new Error('RunPodSandbox returned no id');
    return podSandboxId;
  }

  async status(id: string): Promise<TestSandbox> {
    const { status } = await this.#call('PodSandboxStatus', { podSandboxId: id });
    const { state = 0, network = {} } = status as {
      state?: number;
      network?: { ip?: string; additionalIps?: readonly { ip: string }[] };
    };
    const addresses = [network.ip ?? '', ...(network.additionalIps ?? []).map(({ ip }) => ip)];
    return { id, ready: state === 0, addresses: addresses.filter((address) => address !== '') };
  }

  async list(): Promise<readonly string[]> {
    const { items = [] } = await this.#call('ListPodSandbox', {});
    return (items as readonly { id: string }[]).map(({ id }) => id);
  }

  async remove(id: string): Promise<void> {
    await this.#call('StopPodSandbox', { podSandboxId: id });
    await this.#call('RemovePodSandbox', { podSandboxId: id });
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  #call(method: string, request: object): Promise<Record<string, unknown>> {
    const [requests, responses] = [messages.lookupType(`${method}Request`), messages.lookupType(`${method}Response`)];
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `/runtime.v1.RuntimeService/${method}`,
        (value: object) => Buffer.from(requests.encode(requests.fromObject(value)).finish()),
        (bytes: Buffer) => responses.toObject(responses.decode(bytes)),
        request,
        { deadline: Date.now() + 20_000 },
        (error, value) => (error ? reject(error) : resolve(value ?? {})),
      );
    });
  }
}

const messages = protobuf.parse(`
  syntax = "proto3";
  message Metadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }
  message Linux { string cgroup_parent = 1; }
  message Config { Metadata metadata = 1; string hostname = 2; string log_directory = 3;
    Linux linux = 8; }
  message RunPodSandboxRequest { Config config = 1; }
  message RunPodSandboxResponse { string pod_sandbox_id = 1; }
  message PodSandboxStatusRequest { string pod_sandbox_id = 1; }
  message Ip { string ip = 1; }
  message Network { string ip = 1; repeated Ip additional_ips = 2; }
  message Status { string id = 1; int32 state = 3; Network network = 5; }
  message PodSandboxStatusResponse { Status status = 1; }
  message ListPodSandboxRequest { }
  message Sandbox { string id = 1; }
  message ListPodSandboxResponse { repeated Sandbox items = 1; }
  message StopPodSandboxRequest { string pod_sandbox_id = 1; }
  message StopPodSandboxResponse { }
  message RemovePodSandboxRequest { string pod_sandbox_id = 1; }
  message RemovePodSandboxResponse { }
`).root;

async function pauseArchive(directory: string, signal: AbortSignal): Promise<string> {
  const [rootfs, oci] = [join(directory, 'rootfs'), join(directory, 'oci')];
  mkdirSync(rootfs);
  mkdirSync(join(oci, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(rootfs, 'pause'), pauseProgram(), { mode: 0o755 });
  const layerFile = join(directory, 'layer.tar');
  await run('tar', ['-C', rootfs, '-cf', layerFile, 'pause'], {}, signal);
  const blob = (bytes: Uint8Array, mediaType: string): Record<string, string | number> => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(oci, 'blobs/sha256', hex), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layer = blob(readFileSync(layerFile), 'layer.v1.tar');
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const rootfsConfig = { type: 'layers', diff_ids: [layer['digest']] };
  const config = blob(
    json({ architecture, os: 'linux', config: { Entrypoint: ['/pause'] }, rootfs: rootfsConfig }),
    'config.v1+json',
  );
  const manifest = blob(json({ schemaVersion: 2, config, layers: [layer] }), 'manifest.v1+json');
  const annotations = { 'io.containerd.image.name': PAUSE_IMAGE };
  writeFileSync(join(oci, 'index.json'), json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  writeFileSync(join(oci, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  const archive = join(directory, 'image.tar');
  await run('tar', ['-C', oci, '-cf', archive, '.'], {}, signal);
  return archive;
}

/** An ELF executable that waits for ever: pause() on x86-64, ppoll() without a timeout on arm64, in a loop. */
function pauseProgram(): Buffer {
  const x64 = process.arch === 'x64';
  const code = Buffer.from(
    x64 ? 'b8220000000f05ebf7' : '000080d2010080d2020080d2030080d2280980d2010000d4faffff17',
    'hex',
  );
  const size = 64 + 56 + code.length;
  const file = Buffer.alloc(size);
  file.write('7f454c46020101', 'hex');
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(x64 ? 62 : 183, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(0x400078n, 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  // One segment: the whole file, readable and executable.
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(0x400000n, 80);
  file.writeBigUInt64LE(0x400000n, 88);
  file.writeBigUInt64LE(BigInt(size), 96);
  file.writeBigUInt64LE(BigInt(size), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  code.copy(file, 120);
  return file;
}
