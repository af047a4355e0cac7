/**
 * What the messages of runtimes, registries and mounts mean: each as what is the matter and what would help. The texts are
 * theirs and change with their versions; what is not recognized is quoted.
 */
export interface Trouble {
  readonly what: string;
  readonly help: string;
}

type Rule = readonly [pattern: RegExp, say: (found: RegExpExecArray) => Trouble];

/** Why an image could not be pulled. */
export function pullTrouble(image: string, message: string): Trouble {
  const rules: readonly Rule[] = [
    [
      /no match for platform|no matching manifest/,
      () => ({
        what: `image ${image} is not made for this node's processor`,
        help: 'use an image that is built for it, or for several platforms',
      }),
    ],
    [
      /pull access denied|insufficient_scope|: 40[13] |unauthorized|authorization failed|no basic auth|: denied/i,
      () => ({
        what: `the registry does not give out image ${image}: there is none of that name, or one has to log in`,
        help: 'check its name; if it is private, name a docker-registry secret in spec.imagePullSecrets',
      }),
    ],
    [
      /toomanyrequests|too many requests|: 429 /i,
      () => ({
        what: `the registry of image ${image} says it was asked too often`,
        help: 'wait, or log in with spec.imagePullSecrets, or use a mirror (`peapod up --registry-mirror URL`)',
      }),
    ],
    [
      /not found|manifest unknown|name unknown/i,
      () => ({
        what: `image ${image} does not exist`,
        help: 'check its name and tag, or bring it here with `peapod image load`',
      }),
    ],
    [
      /x509|certificate|server gave HTTP response|tls: /i,
      ([text]) => ({
        what: `the registry of image ${image} is not trusted (${text.trim()}: ${brief(message)})`,
        help: 'give the registry a certificate that this machine trusts, or bring the image here with `peapod image load`',
      }),
    ],
    [
      /connection refused|no such host|lookup .*(?:fail|misbehav|temporary)|i\/o timeout|deadline exceeded|network is unreachable|no route to host|connection reset|: 50[0234] .*|\bEOF$/i,
      ([text]) => ({
        what: `the registry of image ${image} cannot be reached (${text.replace(/^[:\s]+/, '')})`,
        help: 'see that it runs and that this machine reaches it, use a mirror (`peapod up --registry-mirror URL`), or bring the image here with `peapod image load`',
      }),
    ],
    [
      /no space left on device/,
      () => ({ what: `there is no room on the node's disk for image ${image}`, help: 'make room on the disk' }),
    ],
  ];
  return (
    firstOf(rules, message) ?? {
      what: `image ${image} cannot be pulled: ${brief(message)}`,
      help: 'check its name, and that its registry answers',
    }
  );
}

/** Why a container could not be created or begun. Its own name is said by the caller. */
export function startTrouble(image: string, message: string): Trouble {
  return (
    firstOf(startRules(image), message) ?? {
      what: `cannot be started: ${brief(message)}`,
      help: 'what the runtime says is about its command, its mounts or its rights (securityContext)',
    }
  );
}

const startRules = (image: string): readonly Rule[] => [
  [
    /exec: "([^"]*)": executable file not found/,
    ([, command]) => ({
      what: `cannot be started: image ${image} has no program ${command}`,
      help: 'correct the first word of its command (or args), or use an image that has that program',
    }),
  ],
  [
    /(?:exec: "?|fork\/exec |stat )([^":\s]+)"?: no such file or directory/,
    ([, command]) => ({
      what: `cannot be started: there is no ${command} in image ${image} (or the interpreter it names is missing)`,
      help: 'correct its command, or use an image that has that file',
    }),
  ],
  [
    /exec: "?([^":\s]+)"?: permission denied/,
    ([, command]) => ({
      what: `cannot be started: ${command} must not be executed`,
      help: 'make the file executable in the image, and see that the user it runs as (securityContext) may run it',
    }),
  ],
  [
    /exec: "?([^":\s]+)"?: is a directory/,
    ([, command]) => ({ what: `cannot be started: ${command} is a directory`, help: 'name a program in its command' }),
  ],
  [
    /exec format error/,
    () => ({
      what: `cannot be started: its program is made for another processor, or is a script without a first line "#!…"`,
      help: `use an image that is built for this node, or start the script with its interpreter`,
    }),
  ],
  [
    /no command specified/,
    () => ({ what: `cannot be started: neither it nor image ${image} says what to run`, help: 'give it a command' }),
  ],
  [
    /chdir to cwd \("?([^")]*)"?\).*: (.*)$/,
    ([, folder, why]) => ({
      what: `cannot be started in folder ${folder}: ${brief(why!)}`,
      help: 'correct its workingDir',
    }),
  ],
  [
    /unable to find user (\S+?):|no users found.*?(\S+)$/,
    ([, user, other]) => ({
      what: `cannot be started: image ${image} knows no user ${user ?? other}`,
      help: 'give securityContext.runAsUser as a number, or use an image that has that user',
    }),
  ],
];

/** A ConfigMap, Secret or key of one that is not there, or another mistake of the manifest: of a container or of its volumes. */
export function configTrouble(namespace: string, message: string): Trouble {
  return (
    firstOf(configRules(namespace), message) ?? {
      what: brief(message),
      help: 'correct the manifest; peapod tries again by itself, but most of a pod cannot be changed: delete and create it',
    }
  );
}

const configRules = (namespace: string): readonly Rule[] => [
  [
    /references non-existent (config|secret) key: (\S+?)[\],]*$/,
    ([, list, key]) => ({
      what: `there is no key ${key} in ${list === 'secret' ? 'a Secret' : 'a ConfigMap'} it mounts`,
      help: 'add the key (it is then taken by itself), or correct its name',
    }),
  ],
  [
    /couldn't find key (\S+) in (ConfigMap|Secret) (\S+)/,
    ([, key, kind, where]) => ({
      what: `there is no key ${key} in ${kind} ${where}`,
      help: 'add the key (it is then taken by itself), or correct its name',
    }),
  ],
  [
    /(configmap|secret)s? "?(?:[^"\s/]+\/)?([^"\s/]+)"? (?:not found|is not registered)/i,
    ([, kind, name]) => {
      const named = kind!.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';
      const create = named === 'Secret' ? `create secret generic ${name}` : `create configmap ${name}`;
      return {
        what: `there is no ${named} ${name} in namespace ${namespace}`,
        help: `create it (kubectl ${create} -n ${namespace} --from-literal=KEY=VALUE): it is then taken by itself`,
      };
    },
  ],
  [
    /container has runAsNonRoot and image will run as root/,
    () => ({
      what: 'it must not run as root (runAsNonRoot), and its image does',
      help: 'set securityContext.runAsUser to another user than 0, or use an image that does not run as root',
    }),
  ],
  [
    /container has runAsNonRoot and image has non-numeric user \(([^)]*)\)/,
    ([, user]) => ({
      what: `it must not run as root (runAsNonRoot), and whether its image's user ${user} is root cannot be known`,
      help: 'set securityContext.runAsUser to the number of that user',
    }),
  ],
  [
    /hostPath type check failed: (.*)$/,
    ([, why]) => ({
      what: `its hostPath volume does not fit the node: ${why}`,
      help: 'make what it asks for on the node, or correct the path or type',
    }),
  ],
];

function firstOf(rules: readonly Rule[], message: string): Trouble | undefined {
  for (const [pattern, say] of rules) {
    const found = pattern.exec(message);
    if (found !== null) return say(found);
  }
  return undefined;
}

const LONGEST = 240;

/** In one line that a screen holds, without what each layer has put around it; of what is too long the end says most. */
export function brief(text: string): string {
  const line = wrappings
    .reduce((left, wrapping) => left.replaceAll(wrapping, ''), text)
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ');
  return line.length <= LONGEST ? line : `… ${line.slice(-LONGEST)}`;
}

/** Of containerd and runc: true of every failure. */
const wrappings: readonly RegExp[] = [
  /rpc error: code = \w+ desc = /g,
  /failed to (?:pull and unpack image|resolve reference) "[^"]*": /g,
  /failed to create (?:containerd|shim) task: /g,
  /OCI runtime create failed: |runc create failed: |unable to start container process: |error during container init: /g,
  /: unknown$/g,
];
