import { workerData, type MessagePort } from 'node:worker_threads';
import { serveJournal, type ThreadData } from '#store/journal/journal-thread.ts';

/** A thread for a journal alone. */
const { data, port } = workerData as { readonly data: ThreadData; readonly port: MessagePort };
serveJournal(data, port);
