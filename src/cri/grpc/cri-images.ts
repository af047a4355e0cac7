import { type CriCalls, NO_DEADLINE } from '#cri/grpc/calls.ts';
import { orAbsent } from '#cri/grpc/cri-sandboxes.ts';
import { filesystemUsage, image } from '#cri/grpc/decode.ts';
import { sandboxMessage } from '#cri/grpc/encode.ts';
import { pullFaultOf } from '#cri/grpc/faults.ts';
import { methods } from '#cri/grpc/methods.ts';
import type { FilesystemUsage, Image, ImageRef, Images, PullOptions } from '#cri/runtime.ts';

export class CriImages implements Images {
  readonly #calls: CriCalls;

  constructor(calls: CriCalls) {
    this.#calls = calls;
  }

  async status(name: string, signal: AbortSignal): Promise<Image | undefined> {
    const found = await orAbsent(this.#calls.call(methods.imageStatus, { image: { image: name } }, signal));
    return found?.image && image(found.image);
  }

  async pull(name: string, options: PullOptions, signal: AbortSignal): Promise<ImageRef> {
    const request = {
      image: { image: name, runtimeHandler: options.runtimeHandler },
      auth: options.auth,
      sandboxConfig: options.sandbox && sandboxMessage(options.sandbox),
    };
    try {
      const { imageRef } = await this.#calls.callRaw(methods.pullImage, request, signal, NO_DEADLINE);
      return imageRef as ImageRef;
    } catch (error) {
      throw pullFaultOf(error);
    }
  }

  async list(signal: AbortSignal): Promise<readonly Image[]> {
    const { images } = await this.#calls.call(methods.listImages, {}, signal);
    return images.map(image);
  }

  async remove(name: string, signal: AbortSignal): Promise<void> {
    await orAbsent(this.#calls.call(methods.removeImage, { image: { image: name } }, signal));
  }

  async fsInfo(signal: AbortSignal): Promise<readonly FilesystemUsage[]> {
    const { imageFilesystems } = await this.#calls.call(methods.imageFsInfo, {}, signal);
    return imageFilesystems.map(filesystemUsage);
  }
}
