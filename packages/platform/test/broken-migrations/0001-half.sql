CREATE TABLE catalog.half ();
SELECT * FROM catalog.nowhere;
