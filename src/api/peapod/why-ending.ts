import { exitWords } from '#api/peapod/exit-words.ts';
import { millisOf, spanOf } from '#api/peapod/span.ts';
import { brief } from '#api/peapod/trouble-texts.ts';
import { subjectsOf } from '#api/peapod/subject.ts';
import { lastWords } from '#api/peapod/why-crashing.ts';
import { disruptionWords } from '#api/peapod/why-eviction.ts';
import { nodeTrouble } from '#api/peapod/why-node.ts';
import { type Finding, kubectlRef, type WhyFacts } from '#api/peapod/why-facts.ts';

/** Why a pod that is being deleted is still there. */
export function whyTerminating(facts: WhyFacts): Finding {
  const { pod, recalled, now } = facts;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = pod.metadata;
  const deadline = millisOf(deletionTimestamp) ?? now;
  const { deletion } = recalled;
  const asked = deletion?.at ?? deadline - deletionGracePeriodSeconds * 1000;
  const why = deletion?.because === undefined ? '' : `: ${deletion.because}`;
  const told = deletion && `${deletion.by} ${deletion.evicted ? 'evicted' : 'deleted'} it${why}`;
  const whose = disruptionWords(pod) ?? told;
  const by = whose === undefined ? '' : ` (${whose})`;
  const head = `has been ending for ${spanOf(now - asked)}${by}`;
  const running = subjectsOf(facts).filter(({ status }) => status?.state?.running);
  const force = `kubectl delete pod ${kubectlRef(pod)} --grace-period=0 --force`;
  const node = nodeTrouble(facts);
  if (node && pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') {
    const help = `bring the node back, or, if what runs there is surely gone: ${force}`;
    return { what: `${head}, and nobody can end it: ${node.what}`, help, weight: 'stuck' };
  }
  if (running.length === 0) {
    if (finalizers.length === 0)
      return {
        what: `${head}; its containers have ended and the rest is being cleared away`,
        help: '',
        weight: 'coming',
      };
    const names = finalizers.join(', ');
    const help = `who has set ${finalizers.length === 1 ? 'it' : 'them'} must take ${finalizers.length === 1 ? 'it' : 'them'} off; if nobody will: kubectl patch pod ${kubectlRef(pod)} --type merge -p '{"metadata":{"finalizers":null}}'`;
    return {
      what: `${head}; all else is done, and ${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${names} ${finalizers.length === 1 ? 'keeps' : 'keep'} it`,
      help,
      weight: 'stuck',
    };
  }
  const hooked = running.filter(({ container }) => container.lifecycle?.preStop).map(({ container }) => container.name);
  const names = running.map(({ container }) => container.name).join(', ');
  const doing = `${names} still ${running.length === 1 ? 'runs' : 'run'}${hooked.length > 0 ? ` (${hooked.join(', ')}: after the preStop hook)` : ''}`;
  if (now <= deadline)
    return {
      what: `${head}; ${doing}, and has ${spanOf(deadline - now)} left to end by itself`,
      help: `to end it at once: ${force}`,
      weight: 'coming',
    };
  return {
    what: `${head}; ${doing}, ${spanOf(now - deadline)} after it should have been killed`,
    help: `see what the runtime says: kubectl describe pod ${kubectlRef(pod)}`,
    weight: 'stuck',
  };
}

/** Why a pod has failed for good. */
export function whyFailed(facts: WhyFacts): Finding {
  const { pod } = facts;
  const { reason = '', message = '' } = pod.status ?? {};
  const rejected = rejections.find(([pattern]) => pattern.test(reason));
  if (rejected) {
    const what = `was refused by node ${pod.spec.nodeName} (${reason}): ${brief(message)}`;
    return { what, help: `${rejected[1]}; this pod does not come back: delete it and create it anew`, weight: 'stuck' };
  }
  switch (reason) {
    case 'DeadlineExceeded': {
      const seconds = pod.spec.activeDeadlineSeconds;
      const what = `was ended because it ran longer than it may (activeDeadlineSeconds${seconds === undefined ? '' : `: ${seconds}`})`;
      return { what, help: 'give it more time, or make it quicker; then create it anew', weight: 'stuck' };
    }
    case 'Evicted':
      return {
        what: `was evicted from node ${pod.spec.nodeName}: ${brief(message)}`,
        help: 'make room on the node, or ask for what it really needs (resources.requests); then create it anew',
        weight: 'stuck',
      };
    default:
      return whyExited(facts);
  }
}

/** The kubelet's own admission, by the reasons upstream gives. */
const rejections: readonly (readonly [RegExp, string])[] = [
  [/^OutOf/, 'the scheduler does not send a pod where there is no room: leave out spec.nodeName, or ask for less'],
  [/^NodeAffinity$|^NodeName$/, "the node's labels do not fit the pod's nodeSelector or affinity: change one of them"],
  [/^(?:Host|Node)Ports?$/, 'its hostPort is taken on that node: choose another, or delete the pod that has it'],
  [/^PodOS/, 'spec.os must be linux here'],
  [/Sysctl/, 'leave out the sysctls that this node does not allow (spec.securityContext.sysctls)'],
  [/^(?:UnexpectedAdmissionError|AppArmor|Admission|.*Admission.*)$/, 'change what the node objects to'],
];

function whyExited(facts: WhyFacts): Finding {
  const { pod } = facts;
  const { reason = '', message = '' } = pod.status ?? {};
  const ended = subjectsOf(facts).flatMap((subject) => {
    const terminated = subject.status?.state?.terminated;
    return terminated && terminated.exitCode !== 0 ? [{ subject, terminated }] : [];
  });
  const [first] = ended;
  if (first === undefined) {
    const what = `has failed${reason ? ` (${reason})` : ''}${message ? `: ${brief(message)}` : ''}`;
    return { what, help: `kubectl describe pod ${kubectlRef(pod)}`, weight: 'stuck' };
  }
  const { subject, terminated } = first;
  const { name } = subject.container;
  const last = lastWords(subject, terminated);
  const said = last === undefined ? '' : `, last said: ${last}`;
  const others = ended.length > 1 ? ` (and ${ended.length - 1} more)` : '';
  const label = subject.role === 'init' ? `init container ${name}` : name;
  const words = exitWords(terminated, subject.container);
  return {
    what: `has failed for good: ${label} ended, ${words}${said}${others}`,
    help: `all it said: kubectl logs ${kubectlRef(pod)} -c ${name}; it is not started again (restartPolicy ${pod.spec.restartPolicy})`,
    weight: 'stuck',
  };
}
