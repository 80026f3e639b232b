/** The bounded contexts, each with a schema, a role and an event log of its own name. */
export const CONTEXT_NAMES = ['identity', 'catalog', 'production', 'inventory', 'orders', 'bank'] as const;
export type ContextName = (typeof CONTEXT_NAMES)[number];
