/** nftables: whole tables, applied in one transaction. A table of ours is named after its cluster. */
import { run } from '#host/process.ts';

export interface NftTable {
  readonly family: string;
  readonly name: string;
}

/** Applies a ruleset; all of it or, when it throws, nothing. */
export async function applyRuleset(text: string, signal: AbortSignal): Promise<void> {
  await run('nft', ['-f', '-'], { input: text }, signal);
}

/** The ruleset that replaces a table as a whole, whether or not it exists: for use with applyRuleset. */
export const replacingTable = ({ family, name }: NftTable, body: string): string =>
  `table ${family} ${name}\ndelete table ${family} ${name}\ntable ${family} ${name} {\n${body}\n}\n`;

/** A table that is gone already is made first, in the same transaction: deleting it then cannot fail. */
export async function deleteTable({ family, name }: NftTable, signal: AbortSignal): Promise<void> {
  await applyRuleset(`table ${family} ${name}\ndelete table ${family} ${name}\n`, signal);
}

export async function listTables(signal: AbortSignal): Promise<readonly NftTable[]> {
  return parseTables(await run('nft', ['-j', 'list', 'tables'], {}, signal));
}

export function parseTables(json: string): readonly NftTable[] {
  const parsed: { readonly nftables?: readonly { readonly table?: Partial<NftTable> }[] } = JSON.parse(json);
  return (parsed.nftables ?? []).flatMap(({ table }) =>
    table?.family !== undefined && table.name !== undefined ? [{ family: table.family, name: table.name }] : [],
  );
}
