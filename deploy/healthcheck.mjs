// Asks the process in this container whether it is ready; exit code 0 where it is. Plain JavaScript without a
// dependency, since it runs every few seconds.
const LATE_MILLISECONDS = 3_000;

try {
  const url = `http://127.0.0.1:${process.env['PORT'] || 3000}/health/ready`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(LATE_MILLISECONDS) });
  if (!answer.ok) console.error(`${url} answers ${answer.status}`);
  process.exitCode = answer.ok ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
