/** Who listens here, and how many times. */
export type Seats = {
  count(): number;
  countOf(name: string): number;
  /** Gives what leaves the seat again; once it is called it does nothing more. */
  take(name: string): () => void;
};

/** Counts the streams of this process, and of each caller. */
export function openSeats(): Seats {
  const taken = new Map<string, number>();
  let count = 0;

  function change(name: string, by: 1 | -1): void {
    count += by;
    const left = (taken.get(name) ?? 0) + by;
    if (left > 0) taken.set(name, left);
    else taken.delete(name);
  }

  return {
    count: () => count,
    countOf: (name) => taken.get(name) ?? 0,
    take(name) {
      let isTaken = true;
      change(name, 1);
      return () => {
        if (isTaken) change(name, -1);
        isTaken = false;
      };
    },
  };
}
