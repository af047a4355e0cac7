/**
 * OpenAPI documents as kubectl reads them, made from the table of facts and the resources that are served.
 *
 * kubectl takes from them: which fields a kind has (`explain`, client-side validation), merge keys and patch strategies (`apply`, `diff`),
 * and by the PATCH operation's query parameters whether dry runs and field validation are there. Definitions carry upstream's names.
 * Version 2 is one document of everything; version 3 one document a group version.
 */
import { Paths, type ApiResource } from '#api/openapi/paths.ts';
import { Schemas, type Json } from '#api/openapi/schemas.ts';

const info = (version: string): Json => ({ title: 'Kubernetes', version });

/** `/openapi/v2`. `version` is the server's, as in `/version`. */
export function openapiV2(resources: readonly ApiResource[], version = 'unversioned'): Json {
  const schemas = new Schemas(2);
  const paths = new Paths(2, schemas);
  for (const resource of resources) paths.add(resource);
  return { swagger: '2.0', info: info(version), paths: paths.all(), definitions: schemas.all() };
}

/** `/openapi/v3/api/v1`, `/openapi/v3/apis/apps/v1`: `groupVersion` is `v1`, `apps/v1`; resources of others are left out. */
export function openapiV3(groupVersion: string, resources: readonly ApiResource[], version = 'unversioned'): Json {
  const schemas = new Schemas(3);
  const paths = new Paths(3, schemas);
  for (const resource of resources) {
    const own = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    if (own === groupVersion) paths.add(resource);
  }
  return { openapi: '3.0.0', info: info(version), paths: paths.all(), components: { schemas: schemas.all() } };
}
