"""Beam steps on Apache Flink: the job server, a session cluster, the Python workers."""
