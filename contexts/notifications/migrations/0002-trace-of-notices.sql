-- W3C trace context of the request that the notice follows from: what is said of its messages later carries it on.
ALTER TABLE notifications.notices ADD COLUMN traceparent text;
