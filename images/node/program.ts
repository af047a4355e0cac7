import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '#images/kit/tree.ts';

const home = 'opt/peapod';

/**
 * Puts a TypeScript program into an image: Node runs it as it is. Its files are `images/IMAGE/server/*.ts` and keep
 * their names for importing each other. `command` becomes what is typed to run it.
 */
export function addProgram(tree: Tree, image: string, folder: string, command: string): void {
  for (const name of readdirSync(folder))
    if (!name.endsWith('.test.ts'))
      tree.file(`${home}/images/${image}/server/${name}`, readFileSync(join(folder, name)));
  tree.file(`${home}/package.json`, '{ "type": "module", "imports": { "#images/*": "./images/*" } }\n');
  const script = `#!/bin/sh\nexec node /${home}/images/${image}/server/main.ts "$@"\n`;
  tree.file(`usr/bin/${command}`, script, { mode: 0o755 });
}
