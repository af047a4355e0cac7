/** Parts of volumes as mounts of their own: stories of api-volumes.test.ts. */
import assert from 'node:assert/strict';
import { configMap, field, mapped, projected, secret, type Stage } from '#test/e2e/support/api-volumes.ts';
import { containerOf, idle, podManifest } from '#test/e2e/support/pod-watch.ts';

/**
 * Subpath Atomic writer volumes should support subpaths with configmap pod
 * Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file
 * Subpath Atomic writer volumes should support subpaths with downward pod
 * Subpath Atomic writer volumes should support subpaths with projected pod
 * Subpath Atomic writer volumes should support subpaths with secret pod
 * Variable Expansion should allow substituting values in a volume subpath
 * Variable Expansion should succeed in writing subpaths in container
 */
export async function subPaths({ cluster, pods, create, sh }: Stage): Promise<void> {
  await create(configMap('sub', { 'data-1': 'value-1' }), secret('sub', { 'data-1': 'secret-1' }));
  const mount = (name: string, subPath: string, mountPath: string): object => ({ name, subPath, mountPath });
  const volumeMounts = [
    mount('cm', 'data-1', '/one/file'),
    mount('cm', 'data-1', '/etc/passwd'),
    mount('s', 'data-1', '/two'),
    mount('d', 'name', '/three'),
    mount('p', 'deep', '/four'),
    mount('e', 'a/b', '/five'),
    { name: 'e', subPathExpr: '$(POD_NAME)/logs', mountPath: '/six' },
    { name: 'e', mountPath: '/e' },
  ];
  const env = [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }];
  await create(
    podManifest('sub', {
      terminationGracePeriodSeconds: 1,
      volumes: [
        { name: 'cm', configMap: { name: 'sub' } },
        { name: 's', secret: { secretName: 'sub' } },
        { name: 'd', downwardAPI: { items: [field('name', 'metadata.name')] } },
        { name: 'p', ...projected({ secret: { name: 'sub', items: mapped } }) },
        { name: 'e', emptyDir: {} },
      ],
      containers: [idle('c', { volumeMounts, env })],
    }),
  );
  await pods.running('sub');
  assert.equal(await sh('sub', 'cat /one/file /etc/passwd /two /three /four/one'), 'value-1value-1secret-1subsecret-1');
  assert.equal(
    await sh('sub', 'touch /five/f /six/s; cd /e; find . -type f | sort; stat -c %a a'),
    './a/b/f\n./sub/logs/s\n777\n',
  );
  // A link that leads out of the volume is laid before the container is made anew.
  await sh('sub', 'rm -rf /e/a/b; ln -s /etc /e/a/b');
  await cluster.kubectl('exec', 'sub', '--', 'kill', '1');
  await pods.reaches('sub', 'refused', (pod) => {
    const { reason, message } = containerOf(pod)?.state?.waiting ?? {};
    return (
      reason === 'CreateContainerConfigError' &&
      message === 'failed to prepare subPath for volumeMount "e" of container "c"'
    );
  });
  await cluster.ok('delete', 'pod', 'sub', '--now');
}

/**
 * Variable Expansion should fail substituting values in a volume subpath with backticks
 * Variable Expansion should fail substituting values in a volume subpath with absolute path
 * Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container
 */
export async function wrongSubPaths({ cluster, pods, create }: Stage): Promise<void> {
  const table = [
    ['absolute', '/tmp', 'error SubPath `/tmp` must not be an absolute path'],
    ['backsteps', '..', "unable to provision SubPath `..`: must not contain '..'"],
  ] as const;
  const pod = (name: string, env: object, more: object = {}): string => {
    const volumeMounts = [{ name: 'e', subPathExpr: '$(P)', mountPath: '/e' }];
    const containers = [idle('c', { env: [{ name: 'P', ...env }], volumeMounts })];
    return podManifest(
      name,
      { terminationGracePeriodSeconds: 1, volumes: [{ name: 'e', emptyDir: {} }], containers },
      more,
    );
  };
  await create(
    ...table.map(([name, value]) => pod(name, { value })),
    pod('later', { valueFrom: { fieldRef: { fieldPath: "metadata.annotations['p']" } } }, { annotations: { q: 'x' } }),
  );
  const refused = (name: string, message: string): Promise<unknown> =>
    pods.reaches(name, message, (found) => {
      const { waiting } = containerOf(found)?.state ?? {};
      return waiting?.reason === 'CreateContainerConfigError' && waiting.message === message;
    });
  for (const [name, , message] of table) await refused(name, message);
  await refused('later', 'missing value for P');
  await cluster.ok('annotate', 'pod', 'later', 'p=here');
  await pods.running('later');
  await cluster.ok('delete', 'pod', 'later', ...table.map(([name]) => name), '--now');
}
