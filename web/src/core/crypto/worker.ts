import { Cryptographer } from './cryptographer';
import type { Order, Outcome } from './jobs';

/** The worker's thread: one job after the other, bytes handed back as they came. */

const cryptographer = new Cryptographer();
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<Order>) => void) | null;
  postMessage(message: Outcome, transfer: Transferable[]): void;
};

async function perform(order: Order): Promise<unknown> {
  switch (order.job) {
    case 'begin':
      return cryptographer.begin(...order.args);
    case 'hash':
      return cryptographer.hash(...order.args);
    case 'readMedia':
      return cryptographer.readMedia(...order.args);
    case 'readMultivariant':
      return cryptographer.readMultivariant(...order.args);
    case 'sessionId':
      return cryptographer.sessionId(...order.args);
    case 'signReceipt':
      return cryptographer.signReceipt(...order.args);
  }
}

async function answer(order: Order): Promise<void> {
  const began = performance.now();
  const spent = () => performance.now() - began;
  try {
    const value = await perform(order);
    const transfer = order.job === 'hash' ? [order.args[0].buffer] : [];
    scope.postMessage({ id: order.id, millis: spent(), value }, transfer);
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    scope.postMessage({ id: order.id, millis: spent(), error: { name, message } }, []);
  }
}

// One at a time, so that the time of one is not counted for another.
let queue: Promise<void> = Promise.resolve();
scope.onmessage = (event) => {
  queue = queue.then(() => answer(event.data));
};
