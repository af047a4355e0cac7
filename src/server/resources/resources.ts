import type { Descriptor } from '#server/descriptor.ts';
import { apiExtensionsGroup } from '#server/resources/apiextensions.ts';
import { coordinationGroup } from '#server/resources/coordination.ts';
import { coreGroup } from '#server/resources/core.ts';
import { emptyKinds } from '#server/resources/empty-kinds.ts';
import { eventsGroup } from '#server/resources/events.ts';
import { policyGroup } from '#server/resources/policy.ts';
import { schedulingGroup } from '#server/resources/scheduling.ts';
import { storageGroup } from '#server/resources/storage.ts';

/** Every built-in resource. */
export const builtIns: readonly Descriptor[] = [
  ...coreGroup,
  ...eventsGroup,
  ...coordinationGroup,
  ...policyGroup,
  ...schedulingGroup,
  ...storageGroup,
  ...emptyKinds,
  ...apiExtensionsGroup,
];
