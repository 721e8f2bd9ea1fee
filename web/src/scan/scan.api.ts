// Calls of the scan page: what waits at beds, and what was scanned.
import { call, url } from '../api/client';
import type { Proposal, ScanRequest, ScanResult } from '../api/types';

export const scanning = {
  proposals: () => call<Proposal[]>('GET', url('/associations/proposals')),
  scan: (request: ScanRequest) => call<ScanResult>('POST', url('/associations/scan'), request),
};
