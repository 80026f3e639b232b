import { afterWall } from '@provender/platform';

/** Leaves the place that was taken; once it is called it does nothing more. */
export type Leave = () => void;

/** Hears that there is a place, or (undefined) that none has become free in time. */
export type Served = (leave: Leave | undefined) => void;

/** Requests that may be under way to each address at once, and who waits for the next place. */
export type Places = {
  isFree(address: string): boolean;
  /** Serves at once where a place is free, or where too many wait already. */
  take(address: string, served: Served): void;
};

export type PlacesOptions = {
  readonly placesMax: number;
  readonly waitingMax: number;
  readonly waitMillisecondsMax: number;
};

type Address = { taken: number; readonly waiting: Set<Served> };

/**
 * Counts what is under way to each address. A library's own queue for a connection has neither an end nor a time: here
 * whoever has waited for long enough is told to come again.
 */
export function openPlaces({ placesMax, waitingMax, waitMillisecondsMax }: PlacesOptions): Places {
  const addresses = new Map<string, Address>();

  function at(name: string): Address {
    const found = addresses.get(name) ?? { taken: 0, waiting: new Set<Served>() };
    addresses.set(name, found);
    return found;
  }

  /** A place that is left goes to whoever has waited longest. */
  function leaving(address: Address): Leave {
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const next = address.waiting.values().next();
      if (next.done === true) address.taken -= 1;
      else next.value(leaving(address));
    };
  }

  function wait({ waiting }: Address, served: Served): void {
    const once: Served = (leave) => {
      relax();
      waiting.delete(once);
      served(leave);
    };
    const relax = afterWall(waitMillisecondsMax, () => once(undefined));
    waiting.add(once);
  }

  return {
    isFree: (name) => at(name).taken < placesMax,
    take(name, served) {
      const address = at(name);
      if (address.taken < placesMax) {
        address.taken += 1;
        served(leaving(address));
      } else if (address.waiting.size < waitingMax) wait(address, served);
      else served(undefined);
    },
  };
}
