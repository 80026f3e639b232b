import type { Instant } from '@provender/kernel';
import type { Ids } from '@provender/platform';

/** When a use case runs, and where its new ids come from. */
export type Moment = { readonly now: Instant; readonly ids: Ids };
