/** From the port's words to CRI's messages. Most names are alike by design of messages.ts; here is what differs. */
import type {
  ContainerConfig,
  ContainerSecurityContext,
  ImageUse,
  Mount,
  SandboxConfig,
  SandboxSecurityContext,
} from '#cri/config.ts';
import { RuntimeFault } from '#cri/fault.ts';
import {
  type ContainerConfig as ContainerConfigMessage,
  type ImageSpec,
  type PodSandboxConfig,
  isSignal,
} from '#cri/grpc/messages.ts';
import { stopSignalAnnotation } from '#cri/grpc/stop-signals.ts';
import type { InputFor } from '#wire/protobuf.ts';

export function sandboxMessage(config: SandboxConfig): InputFor<typeof PodSandboxConfig> {
  const { linux, runtimeHandler: _, ...rest } = config;
  return { ...rest, linux: { ...linux, securityContext: sandboxSecurity(linux.securityContext) } };
}

export function containerMessage(config: ContainerConfig): InputFor<typeof ContainerConfigMessage> {
  const { name, attempt, image, envs, mounts, linux, stopSignal, annotations, ...rest } = config;
  if (stopSignal !== undefined && !isSignal(stopSignal)) {
    const description = `stop signal ${JSON.stringify(stopSignal)} is not known`;
    throw new RuntimeFault(description, { kind: 'invalid', retryable: false, description });
  }
  return {
    ...rest,
    stopSignal,
    annotations: { ...annotations, ...stopSignalAnnotation(stopSignal) },
    metadata: { name, attempt },
    image: imageMessage(image),
    envs: envs.map((env) => ({ key: env.name, value: typeof env.value === 'string' ? utf8(env.value) : env.value })),
    mounts: mounts.map(mountMessage),
    linux: { ...linux, securityContext: containerSecurity(linux.securityContext) },
  };
}

export function imageMessage(image: ImageUse): InputFor<typeof ImageSpec> {
  return { image: image.ref, userSpecifiedImage: image.userSpecified };
}

function mountMessage(mount: Mount) {
  const { image, ...rest } = mount;
  return { ...rest, image: image && imageMessage(image) };
}

function sandboxSecurity(context: SandboxSecurityContext) {
  return { ...context, runAsUser: boxed(context.runAsUser), runAsGroup: boxed(context.runAsGroup) };
}

function containerSecurity(context: ContainerSecurityContext) {
  return { ...context, runAsUser: boxed(context.runAsUser), runAsGroup: boxed(context.runAsGroup) };
}

/** User 0 is not the same as no user, so ids travel in a message of their own. */
const boxed = (value: number | undefined) => (value === undefined ? undefined : { value });

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');
