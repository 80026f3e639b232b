import { MISSING_ID } from '../support/attacked-town.ts';
import { at, batchOf, MANAGER, missing, type Row, STAFF } from './matrix-rows.ts';

const warehouses: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/warehouses': [['all', STAFF, at('/api/warehouses')]],
  'GET /api/warehouses/:id/stock': [
    ['own', STAFF, ({ warehouseId }) => ({ path: `/api/warehouses/${warehouseId}/stock` })],
    missing('/api/warehouses/{id}/stock', '401 403 404 404 403'),
  ],
  'GET /api/warehouses/:id/movements': [
    ['own', STAFF, ({ warehouseId }) => ({ path: `/api/warehouses/${warehouseId}/movements` })],
    missing('/api/warehouses/{id}/movements', '401 403 404 404 403'),
  ],
  'POST /api/warehouses/sync': [['all', MANAGER, at('/api/warehouses/sync')]],
  'POST /api/warehouses/:id/transfers': [
    [
      'own',
      '401 403 201 201 403',
      ({ warehouseId, siteId, bread }) => batchOf(`warehouses/${warehouseId}/transfers`, siteId, bread),
    ],
    [
      'missing',
      '401 403 404 404 403',
      ({ siteId, bread }) => batchOf(`warehouses/${MISSING_ID}/transfers`, siteId, bread),
    ],
    [
      'deleted',
      '401 403 404 404 403',
      ({ warehouseId, siteId, withdrawnProduct }) =>
        batchOf(`warehouses/${warehouseId}/transfers`, siteId, withdrawnProduct),
    ],
  ],
};

const partnerOrders: Readonly<Record<string, readonly Row[]>> = {
  'GET /api/partner-orders': [['all', STAFF, at('/api/partner-orders')]],
  'GET /api/partner-orders/:id': [
    ['own', STAFF, ({ partnerOrderId }) => ({ path: `/api/partner-orders/${partnerOrderId}` })],
    missing('/api/partner-orders/{id}', '401 403 404 404 403'),
  ],
  'GET /api/partner-orders/runs/:id': [
    ['own', STAFF, ({ partnerRunId }) => ({ path: `/api/partner-orders/runs/${partnerRunId}` })],
    missing('/api/partner-orders/runs/{id}', '401 403 404 404 403'),
  ],
  'POST /api/partner-orders/import': [['all', MANAGER, at('/api/partner-orders/import')]],
  'POST /api/partner-orders/process-all': [['all', MANAGER, at('/api/partner-orders/process-all')]],
  'POST /api/partner-orders/:id/process': [
    ['own', MANAGER, ({ partnerOrderId }) => ({ path: `/api/partner-orders/${partnerOrderId}/process` })],
    missing('/api/partner-orders/{id}/process', '401 403 403 404 403'),
  ],
  'POST /api/partner-orders/reset': [['all', MANAGER, at('/api/partner-orders/reset')]],
};

/** The routes of what comes from outside sources. */
export const outsideRows: Readonly<Record<string, readonly Row[]>> = { ...warehouses, ...partnerOrders };
