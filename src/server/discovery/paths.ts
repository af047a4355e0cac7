import type { Answer } from '#server/answer.ts';
import type { Discovery } from '#server/discovery/discovery.ts';
import { answerHealth, type HealthCheck } from '#server/discovery/health.ts';
import type { OpenApi } from '#server/discovery/openapi.ts';
import { versionInfo } from '#server/discovery/version.ts';
import type { ServerRequest } from '#server/request.ts';

/** The paths that are no resources: discovery, version, health. */
export class Paths {
  readonly #discovery: Discovery;
  readonly #openApi: OpenApi;
  readonly #checks: readonly HealthCheck[];

  constructor(discovery: Discovery, openApi: OpenApi, checks: readonly HealthCheck[]) {
    this.#checks = checks;
    this.#discovery = discovery;
    this.#openApi = openApi;
  }

  answer({ path, query, accept }: ServerRequest): Answer | Promise<Answer> | undefined {
    if (path === '/version' || path === '/version/') return { kind: 'value', code: 200, value: versionInfo() };
    return (
      answerHealth(path, query, this.#checks) ??
      this.#discovery.answer(path, accept) ??
      this.#openApi.answer(path, accept, query)
    );
  }
}
