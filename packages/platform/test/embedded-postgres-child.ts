// A program that starts the embedded PostgreSQL of a folder, says where it is, and lives until it is killed.
import { startEmbeddedPostgres } from '../src/embedded-postgres.ts';

const dataFolder = process.argv[2];
if (dataFolder === undefined) throw new Error('usage: embedded-postgres-child.ts <data folder>');
const server = await startEmbeddedPostgres({ dataFolder });
console.log(JSON.stringify({ url: server.url, port: server.port, pid: server.pid }));
setInterval(() => {}, 1_000);
