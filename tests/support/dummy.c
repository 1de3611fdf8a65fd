typedef int sg_not_empty;
