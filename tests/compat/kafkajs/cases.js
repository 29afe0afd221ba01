// The documents' JavaScript blocks: what each needs from outside, what has to be called of it, and
// when it is through. A case is named like the file that `documents/blocks javascript` writes; what
// must come out is in kafkajs_cases.py.

const { AssignerProtocol } = require('kafkajs');

const print = (...words) => console.log(...words);

const sends = ({ sent }) => sent();
const processes = (group, count) => ({ processed }) => processed(group, count);

function failing(...names) {
  return (name) => {
    if (names.includes(name)) {
      throw new Error(`${name} fails`);
    }
  };
}

// A store of documents with the two calls of Elasticsearch's client that the block makes.
function documentStore() {
  const stored = new Map();
  return {
    index: async ({ index, id, document }) => stored.set(`${index}/${id}`, document),
    get: async ({ index, id }) => stored.get(`${index}/${id}`),
  };
}

function numbered(prefix) {
  let count = 0;
  return () => `${prefix}-${(count += 1)}`;
}

// The block calls `consumer.assign`, which kafkajs does not have, and `seek` before `run`, which it
// refuses. What it offers: an assigner that gives out certain partitions only, and a seek when the
// group has been joined, before the first fetch.
function assignable(kafka) {
  const consumer = (options) => {
    let wanted = [];
    const onlyWanted = () => ({
      name: 'only-wanted',
      version: 0,
      protocol: ({ topics }) => ({ name: 'only-wanted', metadata: membership(topics) }),
      assign: async ({ members }) => [
        { memberId: members[0].memberId, memberAssignment: assignment(wanted) },
      ],
    });
    const made = kafka.consumer({ ...options, partitionAssigners: [onlyWanted] });
    const assign = (partitions) => {
      wanted = partitions;
      const topics = [...new Set(partitions.map(({ topic }) => topic))];
      return made.subscribe({ topics, fromBeginning: true });
    };
    const seek = (place) => made.on(made.events.GROUP_JOIN, () => made.seek(place));
    return { ...made, assign, seek };
  };
  return { consumer };
}

const membership = (topics) =>
  AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) });

function assignment(partitions) {
  const byTopic = {};
  for (const { topic, partition } of partitions) {
    (byTopic[topic] = byTopic[topic] || []).push(partition);
  }
  return AssignerProtocol.MemberAssignment.encode({
    version: 0,
    assignment: byTopic,
    userData: Buffer.alloc(0),
  });
}

async function rebuildShippedOrder({ createOrderEvent, rebuildOrderState, put }) {
  const created = { user_id: 'u1', items: ['a', 'b'], total: 30 };
  const id = await createOrderEvent(created);
  await createOrderEvent({ ...created, user_id: 'u2' });
  await put(
    'order-events',
    { event_type: 'OrderPaid', order_id: id, timestamp: 1700000000 },
    { event_type: 'OrderShipped', order_id: id, tracking_number: 'T-1' },
  );
  print(JSON.stringify(await rebuildOrderState(id)));
}

async function readWhatCommandsWrote(block) {
  const { createOrderCommand, startOrderReadSide, getOrder, processed } = block;
  const readDb = documentStore();
  const first = await createOrderCommand({ user_id: 'u1', total: 10 }, readDb);
  await startOrderReadSide(readDb);
  await processed('order-read-side', 1);
  const second = await createOrderCommand({ user_id: 'u2', total: 20 }, readDb);
  await processed('order-read-side', 2);
  for (const { order_id } of [first, second]) {
    print(JSON.stringify(await getOrder(order_id, readDb)));
  }
}

async function threeSagas(block) {
  const services = ['order', 'payment', 'inventory'].map((name) => `${name}-saga-service`);
  await block.startOrderSagaService();
  await block.startPaymentSagaService();
  await block.startInventorySagaService();
  const allProcessed = (count) =>
    Promise.all(services.map((service) => block.processed(service, count)));
  await block.createOrderSaga({ name: 'good', total: 10 });
  await allProcessed(4);
  await block.createOrderSaga({ name: 'unpaid', total: 20 });
  await allProcessed(7);
  await block.createOrderSaga({ name: 'sold out', total: 30 });
  await allProcessed(11);
}

// Two members, each with one of the two partitions, before there is anything to read.
async function twoMembers({ consumeWithRebalanceHooks, shared, processed, kafka }) {
  await consumeWithRebalanceHooks();
  await shared('orders', 2, 1);
  const producer = kafka.producer();
  await producer.connect();
  const messages = [0, 1, 0, 1, 0].map((partition, number) => ({
    partition,
    value: JSON.stringify({ order_id: `order_${number}` }),
  }));
  await producer.send({ topic: 'orders', messages });
  await processed('service-1', messages.length);
}

const fails = failing('card of 20', 'reserve order-3', 'processing of bad');

module.exports = {
  '002_07': { drive: sends },
  '002_08': { drive: sends },
  '002_09': { drive: sends },
  '002_10': { drive: sends },
  '002_11': { drive: sends },
  '002_12': { drive: ({ complained }) => complained() },
  '002_13': {
    supplied: () => ({
      sendConfirmationEmail: async (user, order) => print(`mail: ${user} ${order}`),
    }),
    drive: processes('email-service', 4),
  },
  '002_14': {
    supplied: () => ({
      processOrder: async ({ order_id }) => {
        fails(`processing of ${order_id}`);
        print(`processed ${order_id}`);
      },
    }),
    drive: processes('inventory-service', 3),
  },
  '002_15': {
    supplied: () => ({
      processBatch: async (orders) => orders.forEach(({ order_id }) => print(order_id)),
    }),
    drive: processes('batch-service', 100),
  },
  '002_16': {
    supplied: ({ kafka }) => ({ kafka: assignable(kafka) }),
    drive: processes('manual-assignment', 25),
  },
  '002_17': {
    supplied: () => ({ process: async ({ order_id }) => print(`processed ${order_id}`) }),
    drive: twoMembers,
  },
  '002_18': {
    supplied: () => ({ categorize: (items) => (items.includes('book') ? 'books' : 'other') }),
    drive: processes('stream-worker', 4),
  },
  '002_19': { drive: processes('window-processor', 12) },
  '002_20': {
    drive: async ({ processed, put }) => {
      await processed('join-service', 2);
      await put(
        'payments',
        { order_id: 'o1', method: 'card', status: 'paid', timestamp: 1700000000 },
        { order_id: 'o9', method: 'card', status: 'paid', timestamp: 1700000001 },
        { order_id: 'o1', method: 'cash', status: 'twice', timestamp: 1700000002 },
      );
      await processed('join-service', 5);
    },
  },
  '002_25': { drive: sends },
  '002_32': {
    supplied: () => ({ generateId: numbered('order') }),
    drive: rebuildShippedOrder,
  },
  '002_33': {
    supplied: () => ({ generateId: numbered('order') }),
    drive: readWhatCommandsWrote,
  },
  '002_34': { drive: processes('cdc-listener', 4) },
  '002_35': {
    supplied: () => ({
      generateId: numbered('saga'),
      createOrder: numbered('order'),
      chargeCard: async (amount) => fails(`card of ${amount}`),
      reserveItems: async (order) => fails(`reserve ${order}`),
      refund: async (order) => print(`refund ${order}`),
      cancelOrder: async (order) => print(`cancel ${order}`),
    }),
    drive: threeSagas,
  },
  '002_36': {
    supplied: () => ({
      processMessage: async ({ order_id }) => {
        fails(`processing of ${order_id}`);
        print(`processed ${order_id}`);
      },
    }),
    drive: processes('orders-worker', 3),
  },
};
