/** The bounded contexts, each with a schema, a role and an event log of its own name. */
export const CONTEXT_NAMES = [
  'identity',
  'catalog',
  'production',
  'inventory',
  'orders',
  'bank',
  'fleet',
  'notifications',
] as const;
export type ContextName = (typeof CONTEXT_NAMES)[number];

/**
 * Where the addresses of each context's routes begin: a gateway sends requests on by this table, whether or not the
 * context is there. No two contexts share a beginning.
 */
export const ROUTE_PREFIXES = {
  identity: ['/api/users', '/api/oauth', '/oauth', '/.well-known'],
  catalog: ['/api/sites', '/api/products', '/api/menu'],
  production: ['/api/production'],
  inventory: ['/api/inventory', '/api/warehouses'],
  orders: ['/api/orders', '/api/partner-orders'],
  bank: ['/api/bank'],
  fleet: ['/api/vending-machines', '/api/orchestrator', '/api/vending-sessions'],
  notifications: ['/api/notifications', '/api/webhooks', '/api/mailbox', '/api/live'],
} as const satisfies Readonly<Record<ContextName, readonly string[]>>;
