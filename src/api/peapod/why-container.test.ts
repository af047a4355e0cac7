import { test } from 'node:test';
import { at, begun, check, container, pod, runc, type Case, type Given } from '#api/peapod/why-fixtures.ts';

const pullBackOff = (message: string, more: Partial<Case> = {}): Given => ({
  pod: pod({
    status: {
      phase: 'Pending',
      conditions: [begun],
      containerStatuses: [
        container({
          waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "app:1": ErrImagePull: ${message}` },
        }),
      ],
    },
  }),
  entries: [{ time: at(-2), type: 'BackOff', container: 'main', reason: 'ImagePullBackOff', until: at(18) }],
  container: 'main',
  ...more,
});
const waits = (reason: string, message: string, spec: object = {}): Given => ({
  pod: pod({
    spec,
    status: { phase: 'Pending', conditions: [begun], containerStatuses: [container({ waiting: { reason, message } })] },
  }),
  container: 'main',
});
const resolve =
  'rpc error: code = Unknown desc = failed to pull and unpack image "docker.io/library/app:1": failed to resolve reference "docker.io/library/app:1":';

const makingCases: readonly Case[] = [
  {
    name: 'an image that does not exist',
    ...pullBackOff(`${resolve} docker.io/library/app:1: not found`),
    want: 'main cannot be made: image app:1 does not exist; next try in 18 s',
    help: 'check its name and tag, or bring it here with `peapod image load`',
  },
  {
    name: 'a registry that is down',
    ...pullBackOff(
      `${resolve} failed to do request: Head "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused`,
    ),
    want: 'main cannot be made: the registry of image app:1 cannot be reached (connection refused); next try in 18 s',
    help: /see that it runs/,
  },
  {
    name: 'a registry that answers 503, the pull being tried now',
    ...pullBackOff(`${resolve} unexpected status from HEAD request to http://r/v2/: 503 Service Unavailable`, {
      entries: [],
    }),
    want: 'main cannot be made: the registry of image app:1 cannot be reached (503 Service Unavailable)',
    help: /see that it runs/,
  },
  {
    name: 'a private image',
    ...pullBackOff(`${resolve} pull access denied, repository does not exist or may require authorization`),
    want: 'main cannot be made: the registry does not give out image app:1: there is none of that name, or one has to log in; next try in 18 s',
    help: /imagePullSecrets/,
  },
  {
    name: 'just failed',
    ...waits('ErrImagePull', `${resolve} docker.io/library/app:1: not found`),
    want: 'main cannot be made: image app:1 does not exist',
    help: /check its name/,
  },
  {
    name: 'another processor',
    ...waits('ErrImagePull', 'no match for platform in manifest: not found'),
    want: "main cannot be made: image app:1 is not made for this node's processor",
    help: /built for it/,
  },
  {
    name: 'a bad name',
    ...waits('InvalidImageName', 'x'),
    want: 'main cannot be made: "app:1" is not the name of an image',
    help: /^correct it/,
  },
  {
    name: 'never pulled',
    ...waits('ErrImageNeverPull', 'x'),
    want: 'main cannot be made: image app:1 is not on the node, and imagePullPolicy Never says not to fetch it',
    help: /peapod image pull app:1/,
  },
  {
    name: 'a missing secret',
    ...waits('CreateContainerConfigError', 'secret "db" not found'),
    want: 'main cannot be made: there is no Secret db in namespace shop',
    help: 'create it (kubectl create secret generic db -n shop --from-literal=KEY=VALUE): it is then taken by itself',
  },
  {
    name: 'a missing key',
    ...waits('CreateContainerConfigError', "couldn't find key password in Secret shop/db"),
    want: 'main cannot be made: there is no key password in Secret shop/db',
    help: /^add the key/,
  },
  {
    name: 'root',
    ...waits('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root (pod: …)'),
    want: 'main cannot be made: it must not run as root (runAsNonRoot), and its image does',
    help: /runAsUser/,
  },
  {
    name: 'a command that is not there',
    ...waits('RunContainerError', `${runc} exec: "serve": executable file not found in $PATH: unknown`),
    want: 'main cannot be started: image app:1 has no program serve',
    help: /first word of its command/,
  },
  {
    name: 'a file that is not there',
    ...waits('CreateContainerError', `${runc} exec: "/app/run": stat /app/run: no such file or directory: unknown`),
    want: 'main cannot be started: there is no /app/run in image app:1 (or the interpreter it names is missing)',
    help: /correct its command/,
  },
  {
    name: 'not executable',
    ...waits('RunContainerError', `${runc} exec: "/etc/passwd": permission denied: unknown`),
    want: 'main cannot be started: /etc/passwd must not be executed',
    help: /make the file executable/,
  },
  {
    name: 'a hook has failed, and what it was for is being stopped',
    ...waits('ContainerCreating', '', { containers: [{ name: 'main', lifecycle: { postStart: {} } }] }),
    entries: [
      { time: at(-9), type: 'ContainerStarted', container: 'main', attempt: 0 },
      { time: at(-1), type: 'HookFailed', container: 'main', hook: 'postStart', message: 'no' },
      { time: at(-1), type: 'Killing', container: 'main', message: 'FailedPostStartHook', deadline: at(29) },
    ],
    want: 'main is being stopped because its postStart hook failed: no',
    help: /lifecycle\.postStart/,
  },
  {
    name: 'a hook',
    ...waits('PostStartHookError', 'exit status 3'),
    entries: [
      {
        time: at(-1),
        type: 'HookFailed',
        container: 'main',
        hook: 'postStart',
        message: 'command "false" exited with 1',
      },
    ],
    want: 'main was stopped because its postStart hook failed: command "false" exited with 1',
    help: /lifecycle\.postStart/,
  },
  {
    name: 'a reason nobody has foreseen',
    ...waits('Pondering', 'hm'),
    want: 'main waits: Pondering: hm',
    help: 'kubectl describe pod web -n shop',
  },
];

check(test, makingCases);
