/** The Kubernetes whose API this is. Clients compare the numbers; what is behind the plus is for people. */
const KUBERNETES_MAJOR = '1';
const KUBERNETES_MINOR = '36';
export const GIT_VERSION = `v${KUBERNETES_MAJOR}.${KUBERNETES_MINOR}.0+peapod`;

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** `/version`, in the shape of upstream's `version.Info`; what is Go's there is Node's here. */
export const versionInfo = (): object => ({
  major: KUBERNETES_MAJOR,
  minor: KUBERNETES_MINOR,
  gitVersion: GIT_VERSION,
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: `node${process.versions.node}`,
  compiler: 'v8',
  platform: `${process.platform}/${architectures[process.arch] ?? process.arch}`,
});
