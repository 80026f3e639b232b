import { describeSettings } from '@provender/platform';

const TEXT = `Provender: bake it, stock it, sell it, vend it: every item counted once.

  npm start                            runs the system, with demo data in an empty database
  npm run provender -- up --split      runs each context in a process of its own, with Kafka and the gateway in front
  npm run provender -- operations      runs what looks at all databases, where each context has its own
  npm run gateway                      runs the gateway alone (UPSTREAMS)
  npm run provender -- verify          checks every promise on the live data, also while the system runs; exit code 1
                                       on any violation (--help for its options)
  npm run provender -- replay FILE     plays a till's CSV through the whole system (--help for its options)
  npm run provender -- promote         makes somebody who has registered a manager, such as the first one of all
  npm run provender -- republish       carries a log to Kafka once more (--help for its options)
  npm run provender -- rebuild-profiles  makes the users' profiles anew from all events
  npm run provender -- trim-log        drops old parts of the event logs (--help for its options)
  npm run provender -- help            shows this
  npm run bench                        measures purchases per second (bench/README.md)
  npm test                             types, lint and all tests

Settings are environment variables:
`;

/** Prints the commands and all settings with their defaults. */
export function help(): number {
  console.log(`${TEXT}\n${describeSettings()}`);
  return 0;
}
