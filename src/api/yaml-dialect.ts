/**
 * YAML as Kubernetes' tools read it: version 1.1, where `0644` is octal and `yes` is true, but without its base-60 numbers
 * and dates, which Go's reader takes for the texts they are.
 */
import type { ParseOptions, SchemaOptions, DocumentOptions } from 'yaml';

export const manifestYaml: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isLeftOut(tag)),
};

const isLeftOut = (tag: { readonly tag: string; readonly format?: string }): boolean =>
  tag.format === 'TIME' || tag.tag === 'tag:yaml.org,2002:timestamp';
