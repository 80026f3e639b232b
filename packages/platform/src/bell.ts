/** Wakes a loop that has nothing to do. */
export type Bell = {
  /** Whoever waits wakes at once, and whoever comes to wait before the next `silence` does not wait at all. */
  ring(): void;
  /** Forgets that it was rung: from here on only new rings count. */
  silence(): void;
  /** Resolves when it is rung, or has been, and after so long in any case. */
  wait(milliseconds: number): Promise<void>;
};

export function openBell(): Bell {
  let signal = Promise.withResolvers<void>();
  let isRung = false;
  return {
    ring() {
      isRung = true;
      signal.resolve();
    },
    silence() {
      if (!isRung) return;
      isRung = false;
      signal = Promise.withResolvers();
    },
    async wait(milliseconds) {
      if (isRung) return;
      let timer: NodeJS.Timeout | undefined;
      const slept = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.max(1, Math.ceil(milliseconds)));
      });
      await Promise.race([slept, signal.promise]);
      clearTimeout(timer);
    },
  };
}
