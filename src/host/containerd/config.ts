/** containerd's configuration as text. Pure: what the machine has and lacks comes in as facts. */

export interface ContainerdVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

export interface ContainerdConfig {
  readonly version: ContainerdVersion;
  readonly root: string;
  readonly state: string;
  readonly socket: string;
  readonly sandboxImage: string;
  readonly cni: { readonly binDir: string; readonly confDir: string };
  /** Directory of REGISTRY/hosts.toml files (certs-d.ts). */
  readonly registryConfig: string;
  readonly runtime: OciRuntime;
  readonly facts: HostFacts;
}

export interface OciRuntime {
  readonly binary: string;
  /** Where the runtime keeps its containers' state: ours, so that what belongs to this node is known from the path. */
  readonly root: string;
}

export interface HostFacts {
  /** Without CAP_SYS_RESOURCE a negative oom_score_adj makes even the sandbox fail. */
  readonly mayLowerOomScore: boolean;
  readonly apparmor: boolean;
  readonly hugetlb: boolean;
}

/** 1.6 and 1.7 read version 2, later ones version 3 with the CRI plugin cut in two. */
export function containerdConfig(config: ContainerdConfig): string {
  return toToml(config.version.major >= 2 ? version3(config) : version2(config));
}

function version2(config: ContainerdConfig): Table {
  const cri = 'io.containerd.grpc.v1.cri';
  return {
    version: 2,
    ...daemon(config),
    disabled_plugins: disabledIn1,
    plugins: {
      [cri]: {
        sandbox_image: config.sandboxImage,
        ...hostSettings(config),
        cni: { bin_dir: config.cni.binDir, conf_dir: config.cni.confDir },
        containerd: { snapshotter: 'overlayfs', default_runtime_name: 'runc', runtimes: runtimes(config) },
        registry: { config_path: config.registryConfig },
      },
    },
  };
}

function version3(config: ContainerdConfig): Table {
  return {
    version: 3,
    ...daemon(config),
    disabled_plugins: disabledIn2,
    plugins: {
      'io.containerd.cri.v1.images': {
        snapshotter: 'overlayfs',
        pinned_images: { sandbox: config.sandboxImage },
        registry: { config_path: config.registryConfig },
      },
      'io.containerd.cri.v1.runtime': {
        ...hostSettings(config),
        cni: { bin_dirs: [config.cni.binDir], conf_dir: config.cni.confDir },
        containerd: { default_runtime_name: 'runc', runtimes: runtimes(config) },
      },
    },
  };
}

function daemon({ root, state, socket }: ContainerdConfig): Table {
  return {
    root,
    state,
    grpc: { address: socket },
    ttrpc: { address: `${socket}.ttrpc` },
    // Its own messages at `info` are several per container; what went wrong is at `warn` and above.
    debug: { level: 'warn' },
  };
}

function hostSettings({ facts }: ContainerdConfig): Table {
  return {
    restrict_oom_score_adj: !facts.mayLowerOomScore,
    disable_apparmor: !facts.apparmor,
    disable_hugetlb_controller: !facts.hugetlb,
    tolerate_missing_hugetlb_controller: true,
    // Found and removed with the node's RUN directory instead of lying among everybody's in /run/netns.
    netns_mounts_under_state_dir: true,
  };
}

const runtimes = ({ runtime }: ContainerdConfig): Table => ({
  runc: {
    runtime_type: 'io.containerd.runc.v2',
    // The cgroupfs driver, beside systemd too: it must match what the kubelet does (cgroups.ts).
    options: { SystemdCgroup: false, BinaryName: runtime.binary, Root: runtime.root },
  },
});

// Not needed and slow to load, or looking at devices that are nobody's business. Never io.containerd.runtime.v1.linux:
// without it the task service of 1.6 fails.
const disabledIn1 = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.native',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
];

const disabledIn2 = [
  'io.containerd.snapshotter.v1.blockfile',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.erofs',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.restart',
  'io.containerd.internal.v1.opt',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.nri.v1.nri',
];

interface Table {
  readonly [key: string]: string | number | boolean | readonly string[] | Table;
}

/** As much of TOML as a configuration of ours needs: plain keys first, then tables with their full path. */
export function toToml(table: Table, path: readonly string[] = []): string {
  const plain = Object.entries(table).filter(([, value]) => !isTable(value));
  const tables = Object.entries(table).flatMap(([key, value]) => (isTable(value) ? [[key, value] as const] : []));
  const header = path.length > 0 && plain.length > 0 ? `\n[${path.map(quoteKey).join('.')}]\n` : '';
  const lines = plain.map(([key, value]) => `${quoteKey(key)} = ${JSON.stringify(value)}\n`);
  return header + lines.join('') + tables.map(([key, value]) => toToml(value, [...path, key])).join('');
}

const isTable = (value: Table[string]): value is Table => typeof value === 'object' && !Array.isArray(value);

// A JSON string is a TOML basic string: both escape quotes, backslashes and control characters alike.
const quoteKey = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key));
