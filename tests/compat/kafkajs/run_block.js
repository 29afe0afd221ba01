// Runs one JavaScript block of the documents as it stands: run_block.js BLOCK HOST:PORT
//
// One block makes `kafka` at its top; all others use it and get it from here. Every client goes to
// HOST:PORT, whatever the block says. The other names that a block leaves to its reader come from
// its case (cases.js), which also calls what the block only defines, and says when a block that
// would consume for ever is through. Then all clients are closed and the process ends by itself.
//
// What the block prints, errors and warnings too, goes to the standard output; what kafkajs itself
// complains of goes to the standard error output.

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const kafkajs = require('kafkajs');
const cases = require('./cases');

const SECONDS_MAX = 120;

const [blockPath, bootstrap] = process.argv.slice(2);
const producers = [];
const consumers = [];
const assigned = new Map(); // consumer: {topic: [partition]}
const processedCounts = new Map(); // group id: records whose batch has been processed
const disconnected = new Set(); // producers
let complaints = 0; // of the block
const waits = []; // {reached: () => boolean, resolve}

function look() {
  for (const wait of waits) {
    if (wait.reached()) {
      wait.resolve();
    }
  }
}

function until(reached) {
  return new Promise((resolve) => {
    waits.push({ reached, resolve });
    look();
  });
}

// kafkajs, told where the server is and watched.
class Kafka extends kafkajs.Kafka {
  constructor(options) {
    super({
      ...options,
      brokers: [bootstrap],
      logLevel: kafkajs.logLevel.ERROR,
      logCreator: () => (entry) => process.stderr.write(`${JSON.stringify(entry)}\n`),
    });
  }

  producer(options) {
    const producer = super.producer(options);
    producers.push(producer);
    producer.on(producer.events.DISCONNECT, () => {
      disconnected.add(producer);
      look();
    });
    return producer;
  }

  consumer(options) {
    const consumer = super.consumer({ maxWaitTimeInMs: 500, ...options });
    consumers.push(consumer);
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      assigned.set(consumer, payload.memberAssignment);
      look();
    });
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
      const before = processedCounts.get(options.groupId) || 0;
      processedCounts.set(options.groupId, before + payload.batchSize);
      look();
    });
    return consumer;
  }
}

// What a case's `drive` gets beside the functions that the block defines.
const tools = {
  kafka: new Kafka({ clientId: 'documents' }),
  // So many consumers have joined their group, and each was given so many partitions of the topic.
  shared: (topic, members, partitions) =>
    until(
      () =>
        assigned.size === members &&
        [...assigned.values()].every((topics) => (topics[topic] || []).length === partitions),
    ),
  // Every producer has been disconnected by the block.
  sent: () => until(() => producers.length > 0 && disconnected.size === producers.length),
  // The block has complained.
  complained: () => until(() => complaints > 0),
  // The members of a group have processed so many records, together.
  processed: (group, count) => until(() => processedCounts.get(group) >= count),
  // Puts records (objects go as JSON) in a topic, as somebody else would.
  async put(topic, ...records) {
    const producer = tools.kafka.producer();
    await producer.connect();
    const messages = records.map((record) => ({ value: JSON.stringify(record) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  },
};

function outsideNames(text, supplied) {
  if (text.includes("require('kafkajs')")) {
    return { require: () => ({ ...kafkajs, Kafka }), ...supplied };
  }
  return { kafka: tools.kafka, CompressionTypes: kafkajs.CompressionTypes, ...supplied };
}

// The block as the body of a function that hands out the functions it defines.
function compile(text, parameters) {
  const defined = [...text.matchAll(/^(?:async )?function (\w+)/gm)].map((match) => match[1]);
  const body = `${text}\nreturn { ${defined.join(', ')} };`;
  return vm.compileFunction(body, parameters, { filename: blockPath });
}

async function main() {
  const { supplied = () => ({}), drive } = cases[path.basename(blockPath, '.js')];
  const text = fs.readFileSync(blockPath, 'utf-8');
  const names = outsideNames(text, supplied(tools));
  const defined = compile(text, Object.keys(names))(...Object.values(names));
  await drive({ ...tools, ...defined });
  await Promise.all([...consumers, ...producers].map((client) => client.disconnect()));
}

console.error = console.warn = (...words) => {
  console.log(...words.map((word) => (word instanceof Error ? word.message : word)));
  complaints += 1;
  look();
};
setTimeout(() => {
  const processed = JSON.stringify([...processedCounts]);
  process.stderr.write(`not through in ${SECONDS_MAX} s; processed: ${processed}\n`);
  process.exit(1);
}, SECONDS_MAX * 1000).unref();
main();
