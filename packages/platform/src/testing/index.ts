export { createTestDatabase, ensureTemplate, type TestDatabase } from './test-database.ts';
